"""Faster R-CNN, HRNetV2p-W18, 1x, SyncBN, the official multi-scale recipe 'Default'.

Box AP on COCO val2017: 37.6 in the official repository.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-ms-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-1x_coco.py'

# One of three scales an image, all padded to one size: with norms that train, batches of changing size diverged. The
# padding is the mean that the preprocessor subtracts, in BGR as images are loaded.
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomChoiceResize', scales=[(1600, 1000), (1000, 600), (1333, 800)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='hrnet_plugin.OrientedPad', size=(1600, 1024), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

"""Faster R-CNN on HRNetV2p-W18, COCO, SyncBN, multi-scale training, 1x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-ms-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-1x_coco.py'

# The official recipe 'Default': one of three scales per image, padded to one size. With batch norms in training mode,
# training diverged on batches of changing size. The padding is the mean that the preprocessor subtracts, in BGR as
# images are loaded.
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomChoiceResize', scales=[(1600, 1000), (1000, 600), (1333, 800)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='hrnet_plugin.OrientedPad', size=(1600, 1024), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

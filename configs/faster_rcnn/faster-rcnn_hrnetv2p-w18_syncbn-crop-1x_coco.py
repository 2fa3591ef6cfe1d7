"""Faster R-CNN on HRNetV2p-W18, COCO, SyncBN, crops around boxes, 1x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-crop-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-1x_coco.py'

# The official recipe 'ResizeCrop': one of three scales per image, then a crop around one of its objects. The padding is
# the mean that the preprocessor subtracts, in BGR as images are loaded.
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomChoiceResize', scales=[(1400, 600), (1400, 800), (1400, 1000)], keep_ratio=True),
    dict(type='hrnet_plugin.RandomCropAroundBox', size=(1200, 800), noise=(30, 10)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='hrnet_plugin.OrientedPad', size=(1216, 800), pad_val=(103.53, 116.28, 123.675)),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

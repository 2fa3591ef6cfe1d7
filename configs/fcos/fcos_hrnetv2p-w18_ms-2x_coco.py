"""FCOS on HRNetV2p-W18, COCO, multi-scale training, 2x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w18_ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_2x_coco.py'

train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomChoiceResize', scales=[(1333, 640), (1333, 800)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

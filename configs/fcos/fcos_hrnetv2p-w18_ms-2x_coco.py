"""FCOS, HRNetV2p-W18, ms-2x, short side 640 or 800.

Box AP on COCO val2017: 38.1 in the paper (table 25); 38.1 in the official repository; 38.3 in mmdet's model zoo.

    mim train hrnet_plugin fcos_hrnetv2p-w18_ms-2x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
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

"""FCOS, HRNetV2p-W18, 2x.

Box AP on COCO val2017: 37.7 in the paper (table 25); 38.2 in the official repository; 37.7 in HRNet-FCOS (table 9);
38.2 in mmdet's model zoo. Box AP on test-dev: 37.8 in the paper (table 11).

    mim train hrnet_plugin fcos_hrnetv2p-w18_2x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = './fcos_hrnetv2p-w18_1x_coco.py'

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)
]

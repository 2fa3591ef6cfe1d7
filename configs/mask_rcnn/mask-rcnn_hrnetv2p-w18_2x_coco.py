"""Mask R-CNN, HRNetV2p-W18, 2x.

Box / mask AP on COCO val2017: 39.2 / 35.3 in the paper (table 10); 39.2 / 35.7 in the official repository; 39.8 /
36.0 in mmdet's model zoo.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w18_2x_coco.py
"""
_base_ = './mask-rcnn_hrnetv2p-w18_1x_coco.py'

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)
]

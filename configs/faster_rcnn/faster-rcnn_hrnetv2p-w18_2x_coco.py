"""Faster R-CNN, HRNetV2p-W18, 2x.

Box AP on COCO val2017: 38.0 in the paper (table 8); 38.1 in the official repository; 38.9 in mmdet's model zoo.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_1x_coco.py'

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)
]

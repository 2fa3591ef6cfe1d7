"""Hybrid Task Cascade on HRNetV2p-W18, COCO, 28 epochs.

    mim train hrnet_plugin htc_hrnetv2p-w18_28e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_20e_coco.py'

train_cfg = dict(max_epochs=28)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=28, milestones=[24, 27], gamma=0.1)
]

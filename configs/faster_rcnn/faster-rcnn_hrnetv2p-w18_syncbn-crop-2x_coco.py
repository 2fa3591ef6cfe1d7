"""Faster R-CNN, HRNetV2p-W18, 2x, SyncBN, the official multi-scale recipe 'ResizeCrop'.

Box AP on COCO val2017: 39.7 in the official repository.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-crop-2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-crop-1x_coco.py'

train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)
]

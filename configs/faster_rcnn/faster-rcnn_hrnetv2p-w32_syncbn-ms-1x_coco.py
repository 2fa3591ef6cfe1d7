"""Faster R-CNN, HRNetV2p-W32, 1x, SyncBN, the official multi-scale recipe 'Default'.

Box AP on COCO val2017: 41.0 in the official repository.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w32_syncbn-ms-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-ms-1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

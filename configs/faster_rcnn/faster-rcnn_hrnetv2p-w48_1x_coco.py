"""Faster R-CNN, HRNetV2p-W48, 1x.

Box AP on COCO val2017: 41.3 in the paper (table 8); 40.9 in the official repository.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w48_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

"""Faster R-CNN, HRNetV2p-W40, 2x.

Box AP on COCO val2017: 41.4 in the official repository; 42.1 in mmdet's model zoo. Box AP on test-dev: 42.1 in the
paper (table 11).

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w40_2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

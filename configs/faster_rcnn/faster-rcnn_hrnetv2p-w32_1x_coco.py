"""Faster R-CNN, HRNetV2p-W32, 1x.

Box AP on COCO val2017: 39.6 in the paper (table 8); 39.5 in the official repository; 40.2 in mmdet's model zoo. Box
AP on test-dev: 39.5 in the paper (table 11).

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w32_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

"""Faster R-CNN, HRNetV2p-W32, 2x.

Box AP on COCO val2017: 40.9 in the paper (table 8); 40.8 in the official repository; 41.4 in mmdet's model zoo. Box
AP on test-dev: 41.1 in the paper (table 11).

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w32_2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

"""Cascade R-CNN, HRNetV2p-W32, 20e.

Box AP on COCO val2017: 43.7 in the paper (table 8); 43.7 in the official repository; 43.3 in mmdet's model zoo. Box
AP on test-dev: 43.7 in the paper (table 11).

    mim train hrnet_plugin cascade-rcnn_hrnetv2p-w32_20e_coco.py
"""
_base_ = './cascade-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

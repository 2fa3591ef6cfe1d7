"""Cascade Mask R-CNN, HRNetV2p-W32, 20e.

Box / mask AP on COCO val2017: 44.5 / 38.5 in the paper (table 10); 44.5 / 38.5 in the official repository; 44.3 /
38.6 in mmdet's model zoo. Box AP on test-dev: 44.7 in the paper (table 11).

    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w32_20e_coco.py
"""
_base_ = './cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

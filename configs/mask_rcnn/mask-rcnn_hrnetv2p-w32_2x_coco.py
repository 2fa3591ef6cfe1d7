"""Mask R-CNN, HRNetV2p-W32, 2x.

Box / mask AP on COCO val2017: 42.3 / 37.6 in the paper (table 10); 42.1 / 37.6 in the official repository; 42.5 /
37.8 in mmdet's model zoo.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w32_2x_coco.py
"""
_base_ = './mask-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

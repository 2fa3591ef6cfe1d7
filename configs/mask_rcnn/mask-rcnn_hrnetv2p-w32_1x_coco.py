"""Mask R-CNN, HRNetV2p-W32, 1x.

Box / mask AP on COCO val2017: 40.9 / 36.7 in the paper (table 10); 40.7 / 36.8 in the official repository; 41.2 /
37.1 in mmdet's model zoo.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w32_1x_coco.py
"""
_base_ = './mask-rcnn_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

"""FCOS, HRNetV2p-W32, 1x.

Box AP on COCO val2017: 38.2 in the paper (table 25); 37.7 in the official repository; 39.5 in mmdet's model zoo.

    mim train hrnet_plugin fcos_hrnetv2p-w32_1x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = './fcos_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

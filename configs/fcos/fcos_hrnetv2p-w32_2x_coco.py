"""FCOS, HRNetV2p-W32, 2x.

Box AP on COCO val2017: 40.3 in the paper (table 25); 40.3 in the official repository; 40.8 in mmdet's model zoo.

    mim train hrnet_plugin fcos_hrnetv2p-w32_2x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = './fcos_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

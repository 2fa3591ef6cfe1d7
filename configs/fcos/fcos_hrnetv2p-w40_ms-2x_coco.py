"""FCOS, HRNetV2p-W40, ms-2x, short side 640 or 800.

Box AP on COCO val2017: 42.7 in mmdet's model zoo.

    mim train hrnet_plugin fcos_hrnetv2p-w40_ms-2x_coco.py

The zoo's figure is of the -bgr variant, which feeds BGR images to RGB weights; this one feeds RGB.
"""
_base_ = './fcos_hrnetv2p-w18_ms-2x_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

"""Hybrid Task Cascade, HRNetV2p-W40, 20e.

Box / mask AP on COCO val2017: 46.4 / 40.8 in mmdet's model zoo.

    mim train hrnet_plugin htc_hrnetv2p-w40_20e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

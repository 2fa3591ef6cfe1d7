"""Hybrid Task Cascade on HRNetV2p-W40, COCO, 28 epochs.

    mim train hrnet_plugin htc_hrnetv2p-w40_28e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_28e_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

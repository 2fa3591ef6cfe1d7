"""Hybrid Task Cascade, HRNetV2p-W32, 28e.

Nobody has published figures for it.

    mim train hrnet_plugin htc_hrnetv2p-w32_28e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_28e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

"""FCOS, HRNetV2p-W48, ms-2x, short side 640 or 800.

Box AP on COCO val2017: 42.9 in the paper (table 25); 42.9 in the official repository.

    mim train hrnet_plugin fcos_hrnetv2p-w48_ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_ms-2x_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

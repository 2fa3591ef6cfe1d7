"""DINO on HRNetV2p-W32, COCO, 12 epochs.

    mim train hrnet_plugin dino_hrnetv2p-w32_12e_coco.py
"""
_base_ = './dino_hrnetv2p-w18_12e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

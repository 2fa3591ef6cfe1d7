"""FCOS on HRNetV2p-W48, COCO, 1x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w48_1x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

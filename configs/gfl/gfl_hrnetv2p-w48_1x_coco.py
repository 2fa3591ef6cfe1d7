"""Generalized Focal Loss, HRNetV2p-W48, 1x.

No figures in the paper, the official repositories or mmdet's model zoo.

    mim train hrnet_plugin gfl_hrnetv2p-w48_1x_coco.py
"""
_base_ = './gfl_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

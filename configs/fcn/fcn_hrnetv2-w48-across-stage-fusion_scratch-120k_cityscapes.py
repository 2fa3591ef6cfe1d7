"""Ablation of the FCN head on HRNetV2-W48, Cityscapes, from random weights: one fusion unit a stage.

mIoU on the validation set: 75.4 in the paper (section 7).

    mim train hrnet_plugin fcn_hrnetv2-w48-across-stage-fusion_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(fusion='across-stage'))

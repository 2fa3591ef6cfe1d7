"""Ablation of the FCN head on HRNetV2-W48, Cityscapes, from random weights: bilinear downsampling.

mIoU on the validation set: 74.2 in the paper (section 7).

    mim train hrnet_plugin fcn_hrnetv2-w48-bilinear-down_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(downsample='bilinear'))

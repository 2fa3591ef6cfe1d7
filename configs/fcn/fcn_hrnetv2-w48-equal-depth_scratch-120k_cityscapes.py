"""Ablation of the FCN head on HRNetV2-W48, Cityscapes, from random weights: four equally deep streams.

mIoU on the validation set: 75.7 in the paper (section 7).

    mim train hrnet_plugin fcn_hrnetv2-w48-equal-depth_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(arch='w48_equal_depth'), decode_head=dict(arch='w48_equal_depth'))

"""FCN head on HRNetV2-W48, Cityscapes, from random weights.

    mim train hrnet_plugin fcn_hrnetv2-w48_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_120k_cityscapes.py'

model = dict(backbone=dict(init_cfg=None))

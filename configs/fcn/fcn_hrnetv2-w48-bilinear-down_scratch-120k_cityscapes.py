"""FCN head on HRNetV2-W48, Cityscapes. Ablation: bilinear downsampling in the fusion.

    mim train hrnet_plugin fcn_hrnetv2-w48-bilinear-down_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(downsample='bilinear'))

"""FCN head on HRNetV2-W48, Cityscapes. Ablation: four equally deep streams.

    mim train hrnet_plugin fcn_hrnetv2-w48-equal-depth_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(arch='w48_equal_depth'), decode_head=dict(arch='w48_equal_depth'))

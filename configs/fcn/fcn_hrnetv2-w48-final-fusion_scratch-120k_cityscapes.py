"""FCN head on HRNetV2-W48, Cityscapes. Ablation: one fusion, after the last stage.

    mim train hrnet_plugin fcn_hrnetv2-w48-final-fusion_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(fusion='final'))

"""FCN head on HRNetV2-W48, Cityscapes. Ablation: products in place of sums in the fusion.

    mim train hrnet_plugin fcn_hrnetv2-w48-product_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(backbone=dict(fusion_operator='product'))

"""FCN head on HRNetV2-W18, Cityscapes.

    mim train hrnet_plugin fcn_hrnetv2-w18_120k_cityscapes.py
"""
_base_ = ['../_base_/fcn_hrnetv2_momentum.py', '../_base_/recipe_cityscapes.py']

model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    decode_head=dict(loss_decode=dict(class_weight=_base_.class_weight)))

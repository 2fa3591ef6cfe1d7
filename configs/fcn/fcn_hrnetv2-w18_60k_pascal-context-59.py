"""FCN head on HRNetV2-W18, PASCAL-Context, 59 classes.

    mim train hrnet_plugin fcn_hrnetv2-w18_60k_pascal-context-59.py
"""
_base_ = ['../_base_/fcn_hrnetv2_slide.py', '../_base_/recipe_pascal-context-59.py']

model = dict(decode_head=dict(num_classes=59))

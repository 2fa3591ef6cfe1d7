"""FCN head on HRNetV2-W18, LIP.

    mim train hrnet_plugin fcn_hrnetv2-w18_110k_lip.py
"""
_base_ = ['../_base_/fcn_hrnetv2_momentum.py', '../_base_/recipe_lip.py']

model = dict(data_preprocessor=dict(size=(473, 473)), decode_head=dict(num_classes=20))

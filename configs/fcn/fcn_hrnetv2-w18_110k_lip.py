"""FCN head on HRNetV2-W18, LIP.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 110,000 iterations of 40 crops of 473 x 473, rate 0.007, norm momentum 0.01, left and right classes
exchanged with each mirror image, corners not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w18_110k_lip.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/recipe_lip.py']

model = dict(
    data_preprocessor=dict(size=(473, 473)),
    backbone=dict(norm_cfg=dict(momentum=0.01)),
    decode_head=dict(num_classes=20, norm_cfg=dict(momentum=0.01)))

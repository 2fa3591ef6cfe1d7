"""FCN head on HRNetV2-W18, PASCAL-Context (59 classes).

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 480 x 480, rate 0.004, norm momentum 0.01, corners not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w18_60k_pascal-context-59.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/recipe_pascal-context-59.py']

model = dict(
    data_preprocessor=dict(size=(480, 480)),
    backbone=dict(norm_cfg=dict(momentum=0.01)),
    decode_head=dict(num_classes=59, norm_cfg=dict(momentum=0.01)),
    test_cfg=dict(mode='slide', crop_size=(480, 480), stride=(320, 320)))

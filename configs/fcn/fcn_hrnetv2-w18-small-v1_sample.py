"""FCN head on HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin fcn_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/sample_segmentation.py']

model = dict(
    data_preprocessor=dict(size=(192, 256)),
    backbone=dict(arch='w18_small_v1', norm_cfg=dict(type='BN'), init_cfg=None),
    decode_head=dict(arch='w18_small_v1', num_classes=14, norm_cfg=dict(type='BN')))

"""FCN head on HRNetV2-W48, ADE20K.

    mim train hrnet_plugin fcn_hrnetv2-w48_150k_ade20k.py
"""
_base_ = './fcn_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

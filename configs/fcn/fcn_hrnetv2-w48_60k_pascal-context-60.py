"""FCN head on HRNetV2-W48, PASCAL-Context, 60 classes.

    mim train hrnet_plugin fcn_hrnetv2-w48_60k_pascal-context-60.py
"""
_base_ = './fcn_hrnetv2-w18_60k_pascal-context-60.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

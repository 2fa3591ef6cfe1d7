"""FCN head on HRNetV2-W48, Cityscapes.

    mim train hrnet_plugin fcn_hrnetv2-w48_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

"""FCN head on HRNetV2-W18-small-v2, Cityscapes.

    mim train hrnet_plugin fcn_hrnetv2-w18-small-v2_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w18_small_v2', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18_small')),
    decode_head=dict(arch='w18_small_v2'))

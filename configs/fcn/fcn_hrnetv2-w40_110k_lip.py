"""FCN head on HRNetV2-W40, LIP.

    mim train hrnet_plugin fcn_hrnetv2-w40_110k_lip.py
"""
_base_ = './fcn_hrnetv2-w18_110k_lip.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=dict(arch='w40'))

"""FCN head on HRNetV2-W40, LIP.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 110,000 iterations of 40 crops of 473 x 473, rate 0.007, norm momentum 0.01, left and right classes
exchanged with each mirror image, corners not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w40_110k_lip.py
"""
_base_ = './fcn_hrnetv2-w18_110k_lip.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=dict(arch='w40'))

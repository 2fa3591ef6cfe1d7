"""FCN head on HRNetV2-W40, ADE20K.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining (probability below 0.9, at
least 131,072 pixels a GPU), corners aligned.

    mim train hrnet_plugin fcn_hrnetv2-w40_150k_ade20k.py
"""
_base_ = './fcn_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=dict(arch='w40'))

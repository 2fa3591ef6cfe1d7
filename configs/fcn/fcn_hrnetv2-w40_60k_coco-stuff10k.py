"""FCN head on HRNetV2-W40, COCO-Stuff 10k.

    mim train hrnet_plugin fcn_hrnetv2-w40_60k_coco-stuff10k.py
"""
_base_ = './fcn_hrnetv2-w18_60k_coco-stuff10k.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=dict(arch='w40'))

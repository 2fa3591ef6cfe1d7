"""FCN head on HRNetV2-W40, Cityscapes.

mIoU on the validation set: 80.2 in the paper (table 3).

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, norm momentum 0.01, corners
not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w40_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=dict(arch='w40'))

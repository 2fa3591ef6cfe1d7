"""FCN head on HRNetV2-W48, LIP.

On the validation set, with mirror images (`--tta`): 88.21 pixel accuracy, 67.43 mean accuracy, 55.9 mIoU in the paper;
mIoU 56.04 and 55.83 in two branches of the official repository.

Official recipe: 110,000 iterations of 40 crops of 473 x 473, rate 0.007, norm momentum 0.01, left and right classes
exchanged with each mirror image, corners not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w48_110k_lip.py
"""
_base_ = './fcn_hrnetv2-w18_110k_lip.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

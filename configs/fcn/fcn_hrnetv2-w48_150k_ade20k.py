"""FCN head on HRNetV2-W48, ADE20K.

mIoU on the validation set: 43.1, and 44.2 with six scales and mirror images, in the official repository; 42.02 in
mmsegmentation's model zoo (160,000 iterations at 512, no hard example mining).

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining (probability below 0.9, at
least 131,072 pixels a GPU), corners aligned.

    mim train hrnet_plugin fcn_hrnetv2-w48_150k_ade20k.py
"""
_base_ = './fcn_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

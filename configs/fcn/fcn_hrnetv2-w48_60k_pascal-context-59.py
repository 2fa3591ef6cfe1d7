"""FCN head on HRNetV2-W48, PASCAL-Context (59 classes).

mIoU with six scales and mirror images: 54.0 in the paper; 54.1 in the official repository; 53.56 in mmsegmentation's
model zoo (80,000 iterations).

Official recipe: 60,000 iterations of 16 crops of 480 x 480, rate 0.004, norm momentum 0.01, corners not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w48_60k_pascal-context-59.py
"""
_base_ = './fcn_hrnetv2-w18_60k_pascal-context-59.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

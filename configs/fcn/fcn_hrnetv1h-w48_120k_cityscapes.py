"""FCN head on the widened finest stream, HRNetV1h-W48, on Cityscapes: an ablation of HRNetV2.

    mim train hrnet_plugin fcn_hrnetv1h-w48_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_120k_cityscapes.py'

model = dict(
    backbone=dict(multiscale_output=False), decode_head=dict(arch=None, in_channels=(48, ), channels=720))

"""FCN head on HRNetV1h-W48 (the finest stream, widened to as many channels as HRNetV2 has), Cityscapes: an ablation.

No figures in the paper, which compares them in a bar chart (figure 10).

    mim train hrnet_plugin fcn_hrnetv1h-w48_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_120k_cityscapes.py'

model = dict(
    backbone=dict(multiscale_output=False), decode_head=dict(arch=None, in_channels=(48, ), channels=720))

"""FCN head on HRNetV2-W48, Cityscapes. Ablation: the stream of high resolution alone.

    mim train hrnet_plugin fcn_hrnetv2-w48-single-stream_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48_single_stream'),
    decode_head=dict(arch='w48_single_stream'))

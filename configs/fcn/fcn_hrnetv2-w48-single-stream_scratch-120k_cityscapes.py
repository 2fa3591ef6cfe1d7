"""Ablation of the FCN head on HRNetV2-W48, Cityscapes, from random weights: one stream.

No figures in the paper, which calls it much lower than the default. About as many operations as that, and about a
twelfth of its weights; the paper matches both, which a single stream cannot.

    mim train hrnet_plugin fcn_hrnetv2-w48-single-stream_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48_single_stream'),
    decode_head=dict(arch='w48_single_stream'))

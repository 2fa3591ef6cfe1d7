"""Ablation of the FCN head on HRNetV2-W48, Cityscapes, from random weights: one stream.

The paper gives no figure, but calls it much lower than the 76.4 of the default. About as many operations as the
default, and a twelfth of its weights.

    mim train hrnet_plugin fcn_hrnetv2-w48-single-stream_scratch-120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w48_scratch-120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48_single_stream'),
    decode_head=dict(arch='w48_single_stream'))

"""OCR on HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin ocr_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/sample_segmentation.py']

_base_.model.decode_head[0].update(arch='w18_small_v1', num_classes=14)
_base_.model.decode_head[0].norm_cfg = dict(type='BN')
# a quarter of the default width: with 512 channels, the head would cost four times as much as this backbone
_base_.model.decode_head[1].update(arch='w18_small_v1', num_classes=14, channels=128, ocr_channels=64)
_base_.model.decode_head[1].norm_cfg = dict(type='BN')
model = dict(
    data_preprocessor=dict(size=(192, 256)),
    backbone=dict(arch='w18_small_v1', norm_cfg=dict(type='BN'), init_cfg=None))

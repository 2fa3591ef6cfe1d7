"""OCR on HRNetV2-W48, PASCAL-Context (59 classes).

mIoU with six scales and mirror images: 56.2 in the paper and in the official repository.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, dropout of 0.05, ten times the rate in the
heads, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w48_60k_pascal-context-59.py
"""
_base_ = './ocr_hrnetv2-w18_60k_pascal-context-59.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[{**head, 'arch': 'w48'} for head in _base_.model.decode_head])

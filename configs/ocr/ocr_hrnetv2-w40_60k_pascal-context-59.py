"""OCR on HRNetV2-W40, PASCAL-Context (59 classes).

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, dropout of 0.05, ten times the rate in the
heads, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w40_60k_pascal-context-59.py
"""
_base_ = './ocr_hrnetv2-w18_60k_pascal-context-59.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=[{**head, 'arch': 'w40'} for head in _base_.model.decode_head])

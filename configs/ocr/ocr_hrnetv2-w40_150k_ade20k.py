"""OCR on HRNetV2-W40, ADE20K.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w40_150k_ade20k.py
"""
_base_ = './ocr_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=[{**head, 'arch': 'w40'} for head in _base_.model.decode_head])

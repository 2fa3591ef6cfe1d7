"""OCR on HRNetV2-W18-small-v2, ADE20K.

    mim train hrnet_plugin ocr_hrnetv2-w18-small-v2_150k_ade20k.py
"""
_base_ = './ocr_hrnetv2-w18_150k_ade20k.py'

_base_.model.decode_head[0].arch = 'w18_small_v2'
_base_.model.decode_head[1].arch = 'w18_small_v2'
model = dict(backbone=dict(arch='w18_small_v2', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18_small')))

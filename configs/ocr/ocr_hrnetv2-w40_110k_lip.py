"""OCR on HRNetV2-W40, LIP.

    mim train hrnet_plugin ocr_hrnetv2-w40_110k_lip.py
"""
_base_ = './ocr_hrnetv2-w18_110k_lip.py'

_base_.model.decode_head[0].arch = 'w40'
_base_.model.decode_head[1].arch = 'w40'
model = dict(backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')))

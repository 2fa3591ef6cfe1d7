"""OCR on HRNetV2-W48, LIP.

    mim train hrnet_plugin ocr_hrnetv2-w48_110k_lip.py
"""
_base_ = './ocr_hrnetv2-w18_110k_lip.py'

_base_.model.decode_head[0].arch = 'w48'
_base_.model.decode_head[1].arch = 'w48'
model = dict(backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')))

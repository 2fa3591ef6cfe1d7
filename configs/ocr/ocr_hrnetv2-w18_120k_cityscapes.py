"""OCR on HRNetV2-W18, Cityscapes.

    mim train hrnet_plugin ocr_hrnetv2-w18_120k_cityscapes.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_cityscapes.py']

model = dict(data_preprocessor=dict(size=(512, 1024)))
_base_.model.decode_head[0].loss_decode.class_weight = _base_.class_weight
_base_.model.decode_head[1].loss_decode.class_weight = _base_.class_weight

"""OCR on HRNetV2-W18, ADE20K.

    mim train hrnet_plugin ocr_hrnetv2-w18_150k_ade20k.py
"""
_base_ = ['../_base_/ocr_hrnetv2_mined.py', '../_base_/recipe_ade20k.py']

_base_.model.decode_head[0].num_classes = 150
_base_.model.decode_head[1].num_classes = 150

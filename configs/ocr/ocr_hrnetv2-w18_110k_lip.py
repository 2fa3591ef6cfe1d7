"""OCR on HRNetV2-W18, LIP.

    mim train hrnet_plugin ocr_hrnetv2-w18_110k_lip.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_lip.py']

model = dict(data_preprocessor=dict(size=(473, 473)))
_base_.model.decode_head[0].num_classes = 20
_base_.model.decode_head[1].num_classes = 20

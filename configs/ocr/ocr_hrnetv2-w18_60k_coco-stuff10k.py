"""OCR on HRNetV2-W18, COCO-Stuff 10k.

    mim train hrnet_plugin ocr_hrnetv2-w18_60k_coco-stuff10k.py
"""
_base_ = ['../_base_/ocr_hrnetv2_mined.py', '../_base_/recipe_coco-stuff10k.py']

_base_.model.decode_head[0].num_classes = 171
_base_.model.decode_head[1].num_classes = 171

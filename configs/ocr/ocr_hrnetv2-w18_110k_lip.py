"""OCR on HRNetV2-W18, LIP.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 110,000 iterations of 40 crops of 473 x 473, rate 0.007, dropout of 0.05, left and right classes
exchanged with each mirror image, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_110k_lip.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_lip.py']

model = dict(
    data_preprocessor=dict(size=(473, 473)),
    decode_head=[{**head, 'num_classes': 20} for head in _base_.model.decode_head])

"""OCR on HRNetV2-W18, Cityscapes.

mIoU on the validation set: 79.47 in mmsegmentation's model zoo (160,000 iterations of eight images, corners not
aligned).

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, dropout of 0.05, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_120k_cityscapes.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_cityscapes.py']

model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    decode_head=[
        {**head, 'loss_decode': {**head.loss_decode, 'class_weight': _base_.class_weight}}
        for head in _base_.model.decode_head
    ])

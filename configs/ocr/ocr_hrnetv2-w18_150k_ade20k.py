"""OCR on HRNetV2-W18, ADE20K.

mIoU on the validation set: 39.32 in mmsegmentation's model zoo (160,000 iterations at 512, no hard example mining,
corners not aligned).

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_150k_ade20k.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_ade20k.py']

__regions, __pixels = _base_.model.decode_head
model = dict(
    data_preprocessor=dict(size=(520, 520)),
    # only the last output is mined
    decode_head=[
        {**__regions, 'num_classes': 150},
        {**__pixels, 'num_classes': 150, 'loss_decode': {**__pixels.loss_decode, 'thresh': 0.9, 'min_kept': 131072}},
    ])

"""OCR on HRNetV2-W18, COCO-Stuff 10k.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, ten times the rate in the heads, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18_60k_coco-stuff10k.py
"""
_base_ = ['../_base_/ocr_hrnetv2.py', '../_base_/recipe_coco-stuff10k.py']

__regions, __pixels = _base_.model.decode_head
model = dict(
    data_preprocessor=dict(size=(520, 520)),
    # only the last output is mined
    decode_head=[
        {**__regions, 'num_classes': 171},
        {**__pixels, 'num_classes': 171, 'loss_decode': {**__pixels.loss_decode, 'thresh': 0.9, 'min_kept': 131072}},
    ])
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(decode_head=dict(lr_mult=10.))))

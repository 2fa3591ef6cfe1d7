"""OCR on HRNetV2-W48, COCO-Stuff 10k.

mIoU on the test set: 39.7, and 40.6 with six scales and mirror images, in the official repository.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, ten times the rate in the heads, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w48_60k_coco-stuff10k.py
"""
_base_ = './ocr_hrnetv2-w18_60k_coco-stuff10k.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[{**head, 'arch': 'w48'} for head in _base_.model.decode_head])

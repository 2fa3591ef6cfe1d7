"""OCR on HRNetV2-W18-small-v2, COCO-Stuff 10k.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 60,000 iterations of 16 crops of 520 x 520, rate 0.001, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, ten times the rate in the heads, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18-small-v2_60k_coco-stuff10k.py
"""
_base_ = './ocr_hrnetv2-w18_60k_coco-stuff10k.py'

model = dict(
    backbone=dict(arch='w18_small_v2', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18_small')),
    decode_head=[{**head, 'arch': 'w18_small_v2'} for head in _base_.model.decode_head])

"""OCR on HRNetV2-W18-small-v2, ADE20K.

mIoU on the validation set: 37.19 in mmsegmentation's model zoo (160,000 iterations at 512, no hard example mining,
corners not aligned).

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18-small-v2_150k_ade20k.py
"""
_base_ = './ocr_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w18_small_v2', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18_small')),
    decode_head=[{**head, 'arch': 'w18_small_v2'} for head in _base_.model.decode_head])

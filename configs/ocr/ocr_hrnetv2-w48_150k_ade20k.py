"""OCR on HRNetV2-W48, ADE20K.

mIoU on the validation set: 44.5, and 45.5 with six scales and mirror images, in the official repository; 43.25 in
mmsegmentation's model zoo (160,000 iterations at 512, no hard example mining, corners not aligned).

Official recipe: 150,000 iterations of 16 crops of 520 x 520, rate 0.02, hard example mining in the last output
(probability below 0.9, at least 131,072 pixels a GPU), dropout of 0.05, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w48_150k_ade20k.py
"""
_base_ = './ocr_hrnetv2-w18_150k_ade20k.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[{**head, 'arch': 'w48'} for head in _base_.model.decode_head])

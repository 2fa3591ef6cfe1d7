"""OCR on HRNetV2-W18-small-v2, Cityscapes.

mIoU on the validation set: 78.45 in mmsegmentation's model zoo (160,000 iterations of eight images, corners not
aligned).

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, dropout of 0.05, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w18-small-v2_120k_cityscapes.py
"""
_base_ = './ocr_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w18_small_v2', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w18_small')),
    decode_head=[{**head, 'arch': 'w18_small_v2'} for head in _base_.model.decode_head])

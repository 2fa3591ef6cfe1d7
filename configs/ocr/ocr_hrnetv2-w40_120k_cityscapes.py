"""OCR on HRNetV2-W40, Cityscapes.

No figures in the paper, in the official repository or in a model zoo.

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, dropout of 0.05, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w40_120k_cityscapes.py
"""
_base_ = './ocr_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')),
    decode_head=[{**head, 'arch': 'w40'} for head in _base_.model.decode_head])

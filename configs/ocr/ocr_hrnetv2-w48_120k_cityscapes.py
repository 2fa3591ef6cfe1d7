"""OCR on HRNetV2-W48, Cityscapes.

mIoU on the validation set: 81.6 in the paper (table 3) and in the official repository; 81.35 in mmsegmentation's model
zoo (160,000 iterations of eight images, corners not aligned). On the test set, with six scales and mirror images,
trained on the validation set as well: 82.5 in the paper.

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, dropout of 0.05, corners
aligned.

    mim train hrnet_plugin ocr_hrnetv2-w48_120k_cityscapes.py
"""
_base_ = './ocr_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[{**head, 'arch': 'w48'} for head in _base_.model.decode_head])

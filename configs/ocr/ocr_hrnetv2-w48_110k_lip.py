"""OCR on HRNetV2-W48, LIP.

On the validation set, with mirror images (`--tta`): 88.24 pixel accuracy, 67.84 mean accuracy, 56.48 mIoU in the
paper; mIoU 56.48 in the official repository.

Official recipe: 110,000 iterations of 40 crops of 473 x 473, rate 0.007, dropout of 0.05, left and right classes
exchanged with each mirror image, corners aligned.

    mim train hrnet_plugin ocr_hrnetv2-w48_110k_lip.py
"""
_base_ = './ocr_hrnetv2-w18_110k_lip.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=[{**head, 'arch': 'w48'} for head in _base_.model.decode_head])

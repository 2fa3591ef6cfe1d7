"""FCN head on HRNetV2-W18, Cityscapes.

mIoU on the validation set: 78.8 in mmsegmentation's model zoo (160,000 iterations of eight images).

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, norm momentum 0.01, corners
not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w18_120k_cityscapes.py
"""
_base_ = ['../_base_/fcn_hrnetv2.py', '../_base_/recipe_cityscapes.py']

model = dict(
    data_preprocessor=dict(size=(512, 1024)),
    backbone=dict(norm_cfg=dict(momentum=0.01)),
    decode_head=dict(norm_cfg=dict(momentum=0.01), loss_decode=dict(class_weight=_base_.class_weight)))

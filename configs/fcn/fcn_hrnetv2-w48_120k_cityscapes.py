"""FCN head on HRNetV2-W48, Cityscapes.

mIoU on the validation set: 81.1 in the paper (table 3); 80.9 and 81.1 in two branches of the official repository;
80.65 in mmsegmentation's model zoo (160,000 iterations of eight images). On the test set, with six scales and mirror
images: 80.4 in the paper, and 81.6 when trained on the validation set as well.

Official recipe: 120,000 iterations of 12 crops of 512 x 1024, rate 0.01, class weights, norm momentum 0.01, corners
not aligned.

    mim train hrnet_plugin fcn_hrnetv2-w48_120k_cityscapes.py
"""
_base_ = './fcn_hrnetv2-w18_120k_cityscapes.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    decode_head=dict(arch='w48'))

"""Cascade R-CNN, HRNetV2p-W48, 20e.

Box AP on COCO val2017: 44.6 in the paper (table 8); 44.6 in the official repository. Box AP on test-dev: 44.8 in the
paper (table 11).

    mim train hrnet_plugin cascade-rcnn_hrnetv2p-w48_20e_coco.py
"""
_base_ = './cascade-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

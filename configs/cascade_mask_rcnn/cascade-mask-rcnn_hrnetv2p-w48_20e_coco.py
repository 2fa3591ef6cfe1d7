"""Cascade Mask R-CNN, HRNetV2p-W48, 20e.

Box / mask AP on COCO val2017: 46.0 / 39.5 in the paper (table 10); 46.0 / 39.5 in the official repository. Box AP on
test-dev: 46.1 in the paper (table 11).

    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w48_20e_coco.py
"""
_base_ = './cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

"""Faster R-CNN, HRNetV2p-W48, 2x.

Box AP on COCO val2017: 41.8 in the paper (table 8); 41.5 in the official repository. Box AP on test-dev: 42.4 in the
paper (table 11).

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w48_2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

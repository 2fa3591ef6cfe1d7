"""Cascade R-CNN on HRNetV2p-W48, COCO, 20 epochs.

    mim train hrnet_plugin cascade-rcnn_hrnetv2p-w48_20e_coco.py
"""
_base_ = './cascade-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

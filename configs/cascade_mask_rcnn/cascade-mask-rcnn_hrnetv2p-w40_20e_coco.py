"""Cascade Mask R-CNN on HRNetV2p-W40, COCO, 20 epochs.

    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w40_20e_coco.py
"""
_base_ = './cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

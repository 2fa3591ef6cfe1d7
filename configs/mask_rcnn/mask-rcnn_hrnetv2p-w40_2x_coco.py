"""Mask R-CNN on HRNetV2p-W40, COCO, 2x schedule.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w40_2x_coco.py
"""
_base_ = './mask-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

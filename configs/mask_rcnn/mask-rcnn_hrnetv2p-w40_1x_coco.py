"""Mask R-CNN on HRNetV2p-W40, COCO, 1x schedule.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w40_1x_coco.py
"""
_base_ = './mask-rcnn_hrnetv2p-w18_1x_coco.py'

model = dict(
    backbone=dict(arch='w40', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w40')), neck=dict(arch='w40'))

"""Faster R-CNN on HRNetV2p-W32, COCO, 2x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w32_2x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

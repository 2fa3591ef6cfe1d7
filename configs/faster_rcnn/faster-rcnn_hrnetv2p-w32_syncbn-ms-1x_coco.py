"""Faster R-CNN on HRNetV2p-W32, COCO, SyncBN, multi-scale training, 1x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w32_syncbn-ms-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_syncbn-ms-1x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

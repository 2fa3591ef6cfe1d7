"""Faster R-CNN on HRNetV2p-W18, COCO, SyncBN, 1x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_1x_coco.py'

# Batch norms in training mode need statistics of more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

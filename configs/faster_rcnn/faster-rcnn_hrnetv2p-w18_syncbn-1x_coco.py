"""Faster R-CNN, HRNetV2p-W18, 1x, trainable norms with statistics over all GPUs.

Box AP on COCO val2017: 37.2 in the official repository.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_syncbn-1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w18_1x_coco.py'

# Norms that train need their statistics from more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

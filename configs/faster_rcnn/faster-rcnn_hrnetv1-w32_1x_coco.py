"""Faster R-CNN on a pyramid of the finest stream, HRNetV1-W32: an ablation of HRNetV2p.

    mim train hrnet_plugin faster-rcnn_hrnetv1-w32_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w32_1x_coco.py'

model = dict(backbone=dict(multiscale_output=False), neck=dict(arch=None, in_channels=(32, )))

"""Faster R-CNN on a pyramid of the widened finest stream, HRNetV1h-W32: an ablation of HRNetV2p.

    mim train hrnet_plugin faster-rcnn_hrnetv1h-w32_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w32_1x_coco.py'

model = dict(
    backbone=dict(multiscale_output=False),
    neck=[
        dict(type='hrnet_plugin.HRNetV2', in_channels=(32, ), out_channels=480),
        dict(type='hrnet_plugin.HRFPN', in_channels=(480, ), out_channels=256),
    ])

"""Faster R-CNN on a pyramid of HRNetV1h-W32 (the finest stream, widened as HRNetV2 is wide), 1x: an ablation.

No figures in the paper, which compares them in a bar chart (figure 10).

    mim train hrnet_plugin faster-rcnn_hrnetv1h-w32_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w32_1x_coco.py'

model = dict(
    backbone=dict(multiscale_output=False),
    neck=[
        dict(type='hrnet_plugin.HRNetV2', in_channels=(32, ), out_channels=480),
        dict(type='hrnet_plugin.HRFPN', in_channels=(480, ), out_channels=256),
    ])

"""Top-down heatmaps with HRNetV2-W32, COCO at 256x192.

    mim train hrnet_plugin td-hm_hrnetv2-w32_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_210e_coco-256x192.py'

model = dict(
    backbone=dict(multiscale_output=True), neck=dict(type='hrnet_plugin.HRNetV2', arch='w32'),
    head=dict(in_channels=480))

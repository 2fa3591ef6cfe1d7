"""Top-down heat maps, HRNetV2-W32 (all streams), 256x192, from random weights.

Keypoint AP on COCO val2017: 73.6 in the paper (section 7).

    mim train hrnet_plugin td-hm_hrnetv2-w32_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_210e_coco-256x192.py'

model = dict(
    backbone=dict(init_cfg=None, multiscale_output=True),
    neck=dict(type='hrnet_plugin.HRNetV2', arch='w32'),
    head=dict(in_channels=480))

"""Top-down heat maps, HRNetV2-W48 (all streams), 256x192.

No figures in the paper, in the official repository or in a model zoo.

    mim train hrnet_plugin td-hm_hrnetv2-w48_210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w48_210e_coco-256x192.py'

model = dict(
    backbone=dict(multiscale_output=True),
    neck=dict(type='hrnet_plugin.HRNetV2', arch='w48'),
    head=dict(in_channels=720))

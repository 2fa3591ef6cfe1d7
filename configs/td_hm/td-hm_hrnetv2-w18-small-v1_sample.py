"""Top-down heatmaps with HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin td-hm_hrnetv2-w18-small-v1_sample.py
"""
_base_ = './td-hm_hrnetv1-w18-small-v1_sample.py'

model = dict(
    backbone=dict(multiscale_output=True),
    neck=dict(type='hrnet_plugin.HRNetV2', arch='w18_small_v1'),
    head=dict(in_channels=240))

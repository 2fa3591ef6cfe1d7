"""Top-down heatmaps with HRNetV1-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin td-hm_hrnetv1-w18-small-v1_sample.py
"""
_base_ = '../_base_/sample_pose.py'

model = dict(backbone=dict(arch='w18_small_v1', init_cfg=None), head=dict(in_channels=16))

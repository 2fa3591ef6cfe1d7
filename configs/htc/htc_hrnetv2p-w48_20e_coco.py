"""Hybrid Task Cascade, HRNetV2p-W48, 20e.

Box / mask AP on COCO val2017: 46.8 / 40.7 in the paper (table 10); 46.8 / 40.7 in the official repository. Box AP on
test-dev: 47.0 in the paper (table 11).

    mim train hrnet_plugin htc_hrnetv2p-w48_20e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

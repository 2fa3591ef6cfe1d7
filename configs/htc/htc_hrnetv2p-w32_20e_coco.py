"""Hybrid Task Cascade, HRNetV2p-W32, 20e.

Box / mask AP on COCO val2017: 45.3 / 39.6 in the paper (table 10); 45.3 / 39.6 in the official repository; 45.4 /
39.9 in mmdet's model zoo. Box AP on test-dev: 45.6 in the paper (table 11).

    mim train hrnet_plugin htc_hrnetv2p-w32_20e_coco.py
"""
_base_ = './htc_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

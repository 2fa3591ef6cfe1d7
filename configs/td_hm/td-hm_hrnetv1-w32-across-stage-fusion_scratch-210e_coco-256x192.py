"""Ablation of top-down heat maps, HRNetV1-W32, 256x192, from random weights: a fusion unit at the end of each stage.

Keypoint AP on COCO val2017: 71.9 in the paper (section 7).

    mim train hrnet_plugin td-hm_hrnetv1-w32-across-stage-fusion_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(fusion='across-stage'))

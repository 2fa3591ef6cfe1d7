"""Ablation of top-down heat maps, HRNetV1-W32, 256x192, from random weights: one fusion unit, the final one.

Keypoint AP on COCO val2017: 70.8 in the paper (section 7).

    mim train hrnet_plugin td-hm_hrnetv1-w32-final-fusion_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(fusion='final'))

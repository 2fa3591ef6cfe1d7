"""Ablation of top-down heat maps, HRNetV1-W32, 256x192, from random weights: products in place of sums in the fusion.

Keypoint AP on COCO val2017: 54.7 in the paper (section 7).

    mim train hrnet_plugin td-hm_hrnetv1-w32-product_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(fusion_operator='product'))

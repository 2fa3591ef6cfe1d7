"""Top-down heatmaps with HRNetV1-W32, COCO at 256x192. Ablation: products in place of sums in the fusion.

    mim train hrnet_plugin td-hm_hrnetv1-w32-product_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(fusion_operator='product'))

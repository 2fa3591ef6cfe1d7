"""Top-down heatmaps with HRNetV1-W32, COCO at 256x192. Ablation: four equally deep streams.

    mim train hrnet_plugin td-hm_hrnetv1-w32-equal-depth_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(arch='w32_equal_depth'))

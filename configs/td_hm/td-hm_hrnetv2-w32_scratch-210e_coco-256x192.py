"""Top-down heatmaps with HRNetV2-W32, COCO at 256x192, from random weights.

    mim train hrnet_plugin td-hm_hrnetv2-w32_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv2-w32_210e_coco-256x192.py'

model = dict(backbone=dict(init_cfg=None))

"""Top-down heatmaps with HRNetV1-W32, COCO at 256x192. Ablation: one fusion per stage.

    mim train hrnet_plugin td-hm_hrnetv1-w32-across-stage-fusion_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(fusion='across-stage'))

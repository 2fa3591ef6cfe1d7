"""Top-down heatmaps with HRNetV1-W32, COCO at 256x192. Ablation: the stream of high resolution alone.

    mim train hrnet_plugin td-hm_hrnetv1-w32-single-stream_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(arch='w32_single_stream'), head=dict(in_channels=60))

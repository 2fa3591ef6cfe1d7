"""Ablation of top-down heat maps, HRNetV1-W32, 256x192, from random weights: only the stream of high resolution.

No figures in the paper, which calls it much lower than the default. About as many operations as that, and about a
twelfth of its weights; the paper matches both, which a single stream cannot.

    mim train hrnet_plugin td-hm_hrnetv1-w32-single-stream_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py'

model = dict(backbone=dict(arch='w32_single_stream'), head=dict(in_channels=60))

"""Top-down heat maps, HRNetV1-W32, 256x192, from random weights.

Keypoint AP on COCO val2017 (persons found by a detector of 56.4 AP): 73.4 in the paper (table 1).

    mim train hrnet_plugin td-hm_hrnetv1-w32_scratch-210e_coco-256x192.py
"""
_base_ = './td-hm_hrnetv1-w32_210e_coco-256x192.py'

model = dict(backbone=dict(init_cfg=None))

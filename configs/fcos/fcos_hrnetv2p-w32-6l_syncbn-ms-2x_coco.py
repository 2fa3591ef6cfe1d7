"""FCOS, HRNetV2p-W32, 2x, short side 640 to 800, SyncBN, the official variant of six levels.

Box AP on COCO val2017: 42.9 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w32-6l_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32-6l_ms-2x_coco.py'

# Norms that train need their statistics from more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

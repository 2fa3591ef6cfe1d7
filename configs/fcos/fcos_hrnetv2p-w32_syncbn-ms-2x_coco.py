"""FCOS, HRNetV2p-W32, 2x, short side 640 or 800, SyncBN.

Box AP on COCO val2017: 42.5 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w32_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32_ms-2x_coco.py'

# Norms that train need their statistics from more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

"""FCOS on HRNetV2p-W32, six levels, COCO, SyncBN, multi-scale training, 2x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w32-6l_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32-6l_ms-2x_coco.py'

# Batch norms in training mode need statistics of more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

"""FCOS on HRNetV2p-W18, COCO, SyncBN, multi-scale training, 2x schedule.

    mim train hrnet_plugin fcos_hrnetv2p-w18_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_ms-2x_coco.py'

# Batch norms in training mode need statistics of more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))
# any short side from 640 to 800, as in HRNet-FCOS
_base_.train_pipeline[2] = dict(type='RandomResize', scale=[(1333, 640), (1333, 800)], keep_ratio=True)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

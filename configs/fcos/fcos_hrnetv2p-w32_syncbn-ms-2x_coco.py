"""FCOS, HRNetV2p-W32, 2x, short side 640 to 800, SyncBN.

Box AP on COCO val2017: 42.5 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w32_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w32_ms-2x_coco.py'

# Norms that train need their statistics from more than the few images of one GPU.
model = dict(backbone=dict(norm_cfg=dict(type='SyncBN', requires_grad=True), norm_eval=False))

# Any short side from 640 to 800, as HRNet-FCOS has it.
train_pipeline = [
    dict(type='LoadImageFromFile', backend_args=_base_.backend_args),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomResize', scale=[(1333, 640), (1333, 800)], keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

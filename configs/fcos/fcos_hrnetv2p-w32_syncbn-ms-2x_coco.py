"""FCOS, HRNetV2p-W32, 2x, short side 640 to 800, SyncBN.

Box AP on COCO val2017: 42.5 in HRNet-FCOS.

    mim train hrnet_plugin fcos_hrnetv2p-w32_syncbn-ms-2x_coco.py
"""
_base_ = './fcos_hrnetv2p-w18_syncbn-ms-2x_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

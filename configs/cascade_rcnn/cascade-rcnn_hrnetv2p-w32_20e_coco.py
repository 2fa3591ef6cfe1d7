"""Cascade R-CNN on HRNetV2p-W32, COCO, 20 epochs.

    mim train hrnet_plugin cascade-rcnn_hrnetv2p-w32_20e_coco.py
"""
_base_ = './cascade-rcnn_hrnetv2p-w18_20e_coco.py'

model = dict(
    backbone=dict(arch='w32', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w32')), neck=dict(arch='w32'))

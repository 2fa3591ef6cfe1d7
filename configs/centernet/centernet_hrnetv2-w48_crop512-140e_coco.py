"""CenterNet (objects as points) on HRNetV2-W48, COCO, 140 epochs.

    mim train hrnet_plugin centernet_hrnetv2-w48_crop512-140e_coco.py
"""
_base_ = './centernet_hrnetv2-w18_crop512-140e_coco.py'

model = dict(
    backbone=dict(arch='w48', init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')), neck=dict(arch='w48'))

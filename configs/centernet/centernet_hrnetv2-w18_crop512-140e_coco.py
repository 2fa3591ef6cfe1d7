"""CenterNet (objects as points) on HRNetV2-W18, COCO, 140 epochs.

    mim train hrnet_plugin centernet_hrnetv2-w18_crop512-140e_coco.py
"""
_base_ = ['mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

# one feature map of stride 4
model = dict(
    backbone=dict(norm_eval=False), neck=dict(type='hrnet_plugin.HRNetV2'), bbox_head=dict(in_channels=256))

"""Faster R-CNN on the one feature map of HRNetV2-W32: an ablation of HRNetV2p.

    mim train hrnet_plugin faster-rcnn_hrnetv2-w32_1x_coco.py
"""
_base_ = './faster-rcnn_hrnetv2p-w32_1x_coco.py'

model = dict(
    neck=dict(_delete_=True, type='hrnet_plugin.HRNetV2', arch='w32', out_channels=256),
    rpn_head=dict(anchor_generator=dict(scales=[8, 16, 32, 64, 128], strides=[4])),
    roi_head=dict(bbox_roi_extractor=dict(featmap_strides=[4])))

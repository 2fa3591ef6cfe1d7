"""Mask R-CNN on HRNetV2p-W18, COCO, 1x schedule.

    mim train hrnet_plugin mask-rcnn_hrnetv2p-w18_1x_coco.py
"""
_base_ = ['mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

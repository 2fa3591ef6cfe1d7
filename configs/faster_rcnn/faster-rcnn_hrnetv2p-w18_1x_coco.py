"""Faster R-CNN on HRNetV2p-W18, COCO, 1x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_1x_coco.py
"""
_base_ = ['mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', '../_base_/detector_hrnetv2p_tta.py']
_base_.merge(_base_.pop('hrnet'))

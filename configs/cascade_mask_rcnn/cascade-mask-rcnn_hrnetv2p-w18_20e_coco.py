"""Cascade Mask R-CNN on HRNetV2p-W18, COCO, 20 epochs.

    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py
"""
_base_ = ['mmdet::cascade_rcnn/cascade-mask-rcnn_r50_fpn_20e_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

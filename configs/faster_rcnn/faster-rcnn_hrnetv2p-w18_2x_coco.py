"""Faster R-CNN on HRNetV2p-W18, COCO, 2x schedule.

    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18_2x_coco.py
"""
_base_ = ['./faster-rcnn_hrnetv2p-w18_1x_coco.py', '../_base_/schedule_2x.py']
_base_.merge(_base_.pop('schedule_2x'))

"""Hybrid Task Cascade on HRNetV2p-W18, COCO, 20 epochs.

    mim train hrnet_plugin htc_hrnetv2p-w18_20e_coco.py
"""
_base_ = ['mmdet::htc/htc_r50_fpn_20e_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

"""Faster R-CNN on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin faster-rcnn_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./faster-rcnn_hrnetv2p-w18_1x_coco.py', '../_base_/sample_boxes.py', '../_base_/sample_two_stage.py']
_base_.merge(_base_.pop('sample'))
_base_.merge(_base_.pop('two_stage'))

model = dict(
    roi_head=dict(bbox_head=dict(in_channels=64, fc_out_channels=256, reg_class_agnostic=True)),
    train_cfg=dict(rcnn=dict(sampler=dict(num=64))))

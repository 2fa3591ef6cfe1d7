"""Cascade R-CNN on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin cascade-rcnn_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./cascade-rcnn_hrnetv2p-w18_20e_coco.py', '../_base_/sample_boxes.py', '../_base_/sample_two_stage.py']
_base_.merge(_base_.pop('sample'))
_base_.merge(_base_.pop('two_stage'))

# One entry per stage. Box deviations and IoU thresholds of the stages are inherited.
_base_.model.roi_head.bbox_head[0].update(in_channels=64, fc_out_channels=256)
_base_.model.roi_head.bbox_head[1].update(in_channels=64, fc_out_channels=256)
_base_.model.roi_head.bbox_head[2].update(in_channels=64, fc_out_channels=256)
_base_.model.train_cfg.rcnn[0].sampler.num = 64
_base_.model.train_cfg.rcnn[1].sampler.num = 64
_base_.model.train_cfg.rcnn[2].sampler.num = 64

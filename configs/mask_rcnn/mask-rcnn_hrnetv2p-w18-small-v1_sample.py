"""Mask R-CNN on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin mask-rcnn_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./mask-rcnn_hrnetv2p-w18_1x_coco.py', '../_base_/sample_detection.py', '../_base_/sample_two_stage.py']
_base_.merge(_base_.pop('sample'))
_base_.merge(_base_.pop('two_stage'))

_base_.train_dataloader.dataset.pipeline[1].with_mask = True
model = dict(
    roi_head=dict(
        bbox_head=dict(in_channels=64, fc_out_channels=256, reg_class_agnostic=True),
        mask_roi_extractor=dict(out_channels=64, roi_layer=dict(sampling_ratio=2)),
        mask_head=dict(in_channels=64, conv_out_channels=64)),
    train_cfg=dict(rcnn=dict(sampler=dict(num=64))))

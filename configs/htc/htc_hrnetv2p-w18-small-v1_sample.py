"""Hybrid Task Cascade on HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin htc_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./htc_hrnetv2p-w18_20e_coco.py', '../_base_/sample_detection.py', '../_base_/sample_two_stage.py']
_base_.merge(_base_.pop('sample'))
_base_.merge(_base_.pop('two_stage'))

# One entry per stage. Box deviations and IoU thresholds of the stages are inherited.
_base_.model.roi_head.bbox_head[0].update(in_channels=64, fc_out_channels=256)
_base_.model.roi_head.bbox_head[1].update(in_channels=64, fc_out_channels=256)
_base_.model.roi_head.bbox_head[2].update(in_channels=64, fc_out_channels=256)
_base_.model.train_cfg.rcnn[0].sampler.num = 64
_base_.model.train_cfg.rcnn[1].sampler.num = 64
_base_.model.train_cfg.rcnn[2].sampler.num = 64
_base_.model.roi_head.mask_head[0].update(in_channels=64, conv_out_channels=64)
_base_.model.roi_head.mask_head[1].update(in_channels=64, conv_out_channels=64)
_base_.model.roi_head.mask_head[2].update(in_channels=64, conv_out_channels=64)
_base_.train_dataloader.dataset.pipeline[1].update(with_mask=True, with_seg=True)
model = dict(
    roi_head=dict(
        mask_roi_extractor=dict(out_channels=64, roi_layer=dict(sampling_ratio=2)),
        semantic_roi_extractor=dict(out_channels=64),
        semantic_head=dict(in_channels=64, conv_out_channels=64)))

"""Cascade Mask R-CNN, HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin cascade-mask-rcnn_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py', '../_base_/sample_detection.py']

# One entry a stage; they differ in the spread of their boxes and in what counts as a hit, which stays.
__box_heads = _base_.model.roi_head.bbox_head
__stages = _base_.model.train_cfg.rcnn
for __head, __stage in zip(__box_heads, __stages):
    __head.update(in_channels=64, fc_out_channels=256)
    __stage.sampler.num = 64

# Narrow neck and heads: at their usual size they would cost several times as much as this backbone.
model = dict(
    backbone=dict(arch='w18_small_v1', norm_eval=False, init_cfg=None),
    neck=dict(arch='w18_small_v1', out_channels=64, norm_cfg=dict(type='BN')),
    rpn_head=dict(in_channels=64, feat_channels=64),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64, roi_layer=dict(sampling_ratio=2)),
        bbox_head=__box_heads,
        mask_roi_extractor=dict(out_channels=64, roi_layer=dict(sampling_ratio=2)),
        mask_head=dict(in_channels=64, conv_out_channels=64)),
    train_cfg=dict(rpn_proposal=dict(nms_pre=500, max_per_img=300), rcnn=__stages),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=300)))

data_root = _base_.sample.data_root
train_dataloader = _base_.sample.train_dataloader
train_dataloader.dataset.pipeline[1].with_mask = True
val_dataloader = _base_.sample.val_dataloader
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
train_cfg = _base_.sample.train_cfg
optim_wrapper = _base_.sample.optim_wrapper
param_scheduler = _base_.sample.param_scheduler
default_hooks = _base_.sample.default_hooks
auto_scale_lr = _base_.sample.auto_scale_lr
sample = None  # all of it that is needed has been picked

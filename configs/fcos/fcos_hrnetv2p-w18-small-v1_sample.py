"""FCOS, HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin fcos_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./fcos_hrnetv2p-w18_1x_coco.py', '../_base_/sample_detection.py']

# Narrow neck and heads: at their usual size they would cost several times as much as this backbone.
model = dict(
    backbone=dict(arch='w18_small_v1', norm_eval=False, init_cfg=None),
    neck=dict(arch='w18_small_v1', out_channels=64, norm_cfg=dict(type='BN')),
    bbox_head=dict(in_channels=64, feat_channels=64))

data_root = _base_.sample.data_root
train_dataloader = _base_.sample.train_dataloader
val_dataloader = _base_.sample.val_dataloader
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
train_cfg = _base_.sample.train_cfg
optim_wrapper = _base_.sample.optim_wrapper
param_scheduler = _base_.sample.param_scheduler
default_hooks = _base_.sample.default_hooks
auto_scale_lr = _base_.sample.auto_scale_lr
tta_pipeline = _base_.sample.tta_pipeline
sample = None  # all of it that is needed has been picked

"""DINO, HRNetV2p-W18-small-v1, on the generated sample set, from random weights.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin dino_hrnetv2p-w18-small-v1_sample.py
"""
_base_ = ['./dino_hrnetv2p-w18_12e_coco.py', '../_base_/sample_detection.py']

# Shallow and of few queries: at its usual size it would cost several times as much as this backbone.
model = dict(
    backbone=dict(arch='w18_small_v1', norm_eval=False, init_cfg=None),
    neck=dict(arch='w18_small_v1'),
    num_queries=100,
    encoder=dict(num_layers=2, layer_cfg=dict(ffn_cfg=dict(feedforward_channels=256))),
    decoder=dict(num_layers=2, layer_cfg=dict(ffn_cfg=dict(feedforward_channels=256))),
    dn_cfg=dict(group_cfg=dict(num_dn_queries=20)),
    test_cfg=dict(max_per_img=100))

data_root = _base_.sample.data_root
train_dataloader = _base_.sample.train_dataloader
val_dataloader = _base_.sample.val_dataloader
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
train_cfg = _base_.sample.train_cfg
optim_wrapper = _base_.sample.optim_wrapper
optim_wrapper.optimizer.lr = 0.0004
param_scheduler = _base_.sample.param_scheduler
default_hooks = _base_.sample.default_hooks
auto_scale_lr = _base_.sample.auto_scale_lr
sample = None  # all of it that is needed has been picked

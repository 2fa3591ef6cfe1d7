"""FCN head on HRNetV2-W18-small-v1, things and stuff of the sample set.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin fcn_hrnetv2-w18-small-v1_sample.py
"""
_base_ = [
    '../_base_/fcn_hrnetv2.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
    '../_base_/sample_segmentation.py',
]

model = dict(
    data_preprocessor=dict(size=(192, 256)),
    backbone=dict(arch='w18_small_v1', norm_cfg=dict(type='BN'), init_cfg=None),
    decode_head=dict(arch='w18_small_v1', num_classes=_base_.sample.num_classes, norm_cfg=dict(type='BN')))

data_root = _base_.sample.data_root
train_dataloader = _base_.sample.train_dataloader
val_dataloader = _base_.sample.val_dataloader
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
test_pipeline = _base_.sample.test_pipeline
tta_pipeline = _base_.sample.tta_pipeline
train_cfg = _base_.sample.train_cfg
optim_wrapper = _base_.sample.optim_wrapper
param_scheduler = _base_.sample.param_scheduler
default_hooks = _base_.sample.default_hooks
auto_scale_lr = _base_.sample.auto_scale_lr
sample = None  # all of it that is needed has been picked

"""Heat maps of persons' keypoints on the sample set, HRNetV2-W18-small-v1 (all streams).

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin td-hm_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['./td-hm_hrnetv1-w32_udp-210e_coco-256x192.py', '../_base_/sample_pose.py']

model = dict(
    backbone=dict(arch='w18_small_v1', multiscale_output=True, init_cfg=None),
    neck=dict(type='hrnet_plugin.HRNetV2', arch='w18_small_v1'),
    head=dict(in_channels=240, decoder=_base_.sample.codec))

codec = _base_.sample.codec
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
sample = None  # all of it that is needed has been picked

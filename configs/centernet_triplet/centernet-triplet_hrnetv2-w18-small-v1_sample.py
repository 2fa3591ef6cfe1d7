"""CenterNet (keypoint triplets), HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin centernet-triplet_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['./centernet-triplet_hrnetv2-w48_crop511-480k_coco.py', '../_base_/sample_detection.py']

model = dict(
    backbone=dict(arch='w18_small_v1', init_cfg=None),
    neck=dict(arch='w18_small_v1', out_channels=64),
    bbox_head=dict(in_channels=64, feat_channels=64, pool_channels=32))

# The base's own pipelines, smaller.
train_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomCenterCropPad', crop_size=(255, 255), ratios=(0.8, 0.9, 1.0, 1.1),
         mean=_base_.data_preprocessor.mean, std=_base_.data_preprocessor.std, to_rgb=True, test_pad_mode=None),
    dict(type='Resize', scale=(255, 255), keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
__loader = dict(batch_size=4, num_workers=0, persistent_workers=False)
__data = dict(data_root=_base_.sample.data_root)
data_root = _base_.sample.data_root
train_dataloader = dict(
    **__loader, sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(**__data, pipeline=train_pipeline))
val_dataloader = dict(**__loader, dataset=__data)
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', val_interval=1, **_base_.sample.train_cfg)
optim_wrapper = _base_.sample.optim_wrapper
param_scheduler = _base_.sample.param_scheduler
default_hooks = dict(
    logger=_base_.sample.default_hooks.logger,
    checkpoint=dict(by_epoch=True, interval=1, **_base_.sample.default_hooks.checkpoint))
log_processor = dict(by_epoch=True)
auto_scale_lr = _base_.sample.auto_scale_lr
sample = None  # all of it that is needed has been picked

"""CenterNet (objects as points), HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    mim run hrnet_plugin sample_set data/sample
    mim train hrnet_plugin centernet_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['./centernet_hrnetv2-w18_crop512-140e_coco.py', '../_base_/sample_detection.py']

model = dict(
    backbone=dict(arch='w18_small_v1', init_cfg=None),
    neck=dict(arch='w18_small_v1', out_channels=64),
    bbox_head=dict(in_channels=64))

# The base's own pipelines, smaller: the head needs to know how much each test image was padded.
train_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomCenterCropPad', crop_size=(256, 320), ratios=(0.8, 0.9, 1.0, 1.1), mean=[0, 0, 0], std=[1, 1, 1],
         to_rgb=True, test_pad_mode=None),
    dict(type='Resize', scale=(320, 256), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
__loader = dict(batch_size=4, num_workers=0, persistent_workers=False)
__data = dict(data_root=_base_.sample.data_root)
data_root = _base_.sample.data_root
train_dataloader = dict(**__loader, dataset=dict(times=1, dataset=dict(**__data, pipeline=train_pipeline)))
val_dataloader = dict(**__loader, dataset=__data)
test_dataloader = val_dataloader
val_evaluator = _base_.sample.evaluator
test_evaluator = val_evaluator
train_cfg = _base_.sample.train_cfg
optim_wrapper = _base_.sample.optim_wrapper
param_scheduler = _base_.sample.param_scheduler
default_hooks = _base_.sample.default_hooks
auto_scale_lr = _base_.sample.auto_scale_lr
sample = None  # all of it that is needed has been picked

"""The official recipe of segmentation on Cityscapes. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation (four GPUs with 3 images each, 484 epochs).
"""
_base_ = [
    'mmseg::_base_/datasets/cityscapes.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

__load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
train_pipeline = [
    *__load,
    dict(type='RandomResize', scale=(2048, 2048), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(512, 1024)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(batch_size=3, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=0.0005))
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=120000, by_epoch=False)]
train_cfg = dict(max_iters=120000, val_interval=12000)
default_hooks = dict(checkpoint=dict(interval=12000))
auto_scale_lr = dict(enable=False, base_batch_size=12)

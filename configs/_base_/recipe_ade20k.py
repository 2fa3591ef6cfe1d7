"""The official recipe of segmentation on ADE20K. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation (four GPUs with 4 images each, 120 epochs).
"""
_base_ = [
    'mmseg::_base_/datasets/ade20k.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

crop_size = (520, 520)
__load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', reduce_zero_label=True)]
train_pipeline = [
    *__load,
    dict(type='Resize', scale=(2080, 520), keep_ratio=True),
    dict(type='RandomResize', scale=(520, 520), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# annotations come after the resizing: they are compared at their own size
test_pipeline = [
    __load[0],
    dict(type='Resize', scale=(2080, 520), keep_ratio=True),
    __load[1],
    dict(type='PackSegInputs'),
]
# six scales of the size at which single images are tested, each with its mirror image
tta_pipeline = [
    __load[0],
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(int(2080 * factor), int(520 * factor)), keep_ratio=True)
         for factor in (0.5, 0.75, 1., 1.25, 1.5, 1.75)],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [__load[1]],
        [dict(type='PackSegInputs')],
    ])
]

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=0.02, weight_decay=0.0001))
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=150000, by_epoch=False)]
train_cfg = dict(max_iters=150000, val_interval=15000)
default_hooks = dict(checkpoint=dict(interval=15000))
auto_scale_lr = dict(enable=False, base_batch_size=16)

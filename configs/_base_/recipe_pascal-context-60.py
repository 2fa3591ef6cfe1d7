"""The official recipe of segmentation on PASCAL-Context (60 classes). A base only.

Source: the experiment files of HRNet-Semantic-Segmentation (four GPUs with 4 images each, 200 epochs).
"""
_base_ = [
    'mmseg::_base_/datasets/pascal_context.py',
    'mmseg::_base_/schedules/schedule_160k.py',
    'mmseg::_base_/default_runtime.py',
]

crop_size = (480, 480)
__load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
train_pipeline = [
    *__load,
    dict(type='RandomResize', scale=(520, 520), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# six scales of the size at which single images are tested, each with its mirror image
tta_pipeline = [
    __load[0],
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(int(520 * factor), int(520 * factor)), keep_ratio=True)
         for factor in (0.5, 0.75, 1., 1.25, 1.5, 1.75)],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [__load[1]],
        [dict(type='PackSegInputs')],
    ])
]

train_dataloader = dict(batch_size=4, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.004, weight_decay=0.0001))
param_scheduler = [dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=60000, by_epoch=False)]
train_cfg = dict(max_iters=60000, val_interval=6000)
default_hooks = dict(checkpoint=dict(interval=6000))
auto_scale_lr = dict(enable=False, base_batch_size=16)

"""Data and schedule of the segmentation jobs on the generated sample set. A base only."""
_base_ = ['mmseg::_base_/schedules/schedule_160k.py', 'mmseg::_base_/default_runtime.py']

data_root = 'data/sample/'
__iters = 1200
# the classes of COCO-Stuff that occur in the sample set
__classes = (
    'person', 'traffic light', 'stop sign', 'umbrella', 'frisbee', 'sports ball', 'kite', 'clock', 'grass', 'road',
    'sand', 'sea', 'sky-other', 'wall-brick')
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
# No worker processes: on two cores they cost training more time than they save.
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='COCOStuffDataset', data_root=data_root, metainfo=dict(classes=__classes),
        img_suffix='.png', seg_map_suffix='_labelTrainIds.png',
        data_prefix=dict(img_path='train2017', seg_map_path='stuffthingmaps/train2017'),
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomCrop', crop_size=(192, 256)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs'),
        ]))
val_dataloader = dict(
    batch_size=1, num_workers=0, persistent_workers=False, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='COCOStuffDataset', data_root=data_root, metainfo=dict(classes=__classes),
        img_suffix='.png', seg_map_suffix='_labelTrainIds.png',
        data_prefix=dict(img_path='val2017', seg_map_path='stuffthingmaps/val2017'), pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [
            dict(type='Resize', scale_factor=1., keep_ratio=True),
            dict(type='Resize', scale_factor=1.5, keep_ratio=True),
        ],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadAnnotations')],
        [dict(type='PackSegInputs')],
    ])
]
train_cfg = dict(max_iters=__iters, val_interval=200)
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01),
    clip_grad=dict(max_norm=10, norm_type=2))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=__iters, by_epoch=False),
]
default_hooks = dict(
    logger=dict(interval=20),
    checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', interval=200, max_keep_ckpts=1,
                    save_best='mIoU', rule='greater'))
auto_scale_lr = dict(base_batch_size=4)
sample = None  # unused, kept so that existing study folders have the same config

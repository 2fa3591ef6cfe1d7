"""What the segmentation jobs on the generated sample set share. A base only; it cannot be run.

All of it stands below one name, as in sample_detection.py, and a job picks from it what it needs.
"""
__root = 'data/sample/'
__iters = 1200
# those of COCO-Stuff's 171 classes that occur
__classes = (
    'person', 'traffic light', 'stop sign', 'umbrella', 'frisbee', 'sports ball', 'kite', 'clock', 'grass', 'road',
    'sand', 'sea', 'sky-other', 'wall-brick')
# No worker processes: on two cores they cost training more time than they save.
__loader = dict(num_workers=0, persistent_workers=False)
__data = dict(
    type='COCOStuffDataset', data_root=__root, img_suffix='.png', seg_map_suffix='_labelTrainIds.png',
    metainfo=dict(classes=__classes))
__load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
__test_pipeline = [*__load, dict(type='PackSegInputs')]

sample = dict(
    num_classes=len(__classes),
    data_root=__root,
    train_dataloader=dict(
        **__loader, batch_size=4, sampler=dict(type='InfiniteSampler', shuffle=True),
        dataset=dict(
            **__data,
            data_prefix=dict(img_path='train2017', seg_map_path='stuffthingmaps/train2017'),
            pipeline=[*__load, dict(type='RandomCrop', crop_size=(192, 256)), dict(type='RandomFlip', prob=0.5),
                      dict(type='PackSegInputs')])),
    val_dataloader=dict(
        **__loader, batch_size=1, sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dict(
            **__data, data_prefix=dict(img_path='val2017', seg_map_path='stuffthingmaps/val2017'),
            pipeline=__test_pipeline)),
    test_pipeline=__test_pipeline,  # of mmseg's inference_model
    evaluator=dict(type='IoUMetric', iou_metrics=['mIoU']),
    tta_pipeline=[
        __load[0],
        dict(type='TestTimeAug', transforms=[
            [dict(type='Resize', scale_factor=factor, keep_ratio=True) for factor in (1., 1.5)],
            [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
            [__load[1]],
            [dict(type='PackSegInputs')],
        ])
    ],
    train_cfg=dict(max_iters=__iters, val_interval=200),
    optim_wrapper=dict(
        _delete_=True, type='OptimWrapper', optimizer=dict(type='AdamW', lr=0.002, weight_decay=0.01),
        clip_grad=dict(max_norm=10, norm_type=2)),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
        dict(type='PolyLR', eta_min=0, power=0.9, begin=0, end=__iters, by_epoch=False),
    ],
    default_hooks=dict(
        logger=dict(interval=20),
        checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', interval=200, max_keep_ckpts=1,
                        save_best='mIoU', rule='greater')),
    auto_scale_lr=dict(base_batch_size=4))

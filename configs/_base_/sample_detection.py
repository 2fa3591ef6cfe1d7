"""What the detection jobs on the generated sample set share. A base only; it cannot be run.

mmengine lets the bases of a config have no entry in common. So all of this stands below one name, and a job picks from
it what it needs: ``train_dataloader = _base_.sample.train_dataloader``. Names that begin with two underscores are no
entries of a config.
"""
__root = 'data/sample/'
__scale = (320, 256)
__epochs = 6
__load = dict(type='LoadImageFromFile')
__resize = dict(type='Resize', scale=__scale, keep_ratio=True)
__boxes = dict(type='LoadAnnotations', with_bbox=True)
__meta = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
__train_pipeline = [__load, __boxes, __resize, dict(type='RandomFlip', prob=0.5), dict(type='PackDetInputs')]
__test_pipeline = [__load, __resize, __boxes, dict(type='PackDetInputs', meta_keys=__meta)]
# No worker processes: on two cores they cost training more time than they save.
__loader = dict(batch_size=4, num_workers=0, persistent_workers=False)

sample = dict(
    data_root=__root,
    train_dataloader=dict(**__loader, dataset=dict(data_root=__root, pipeline=__train_pipeline)),
    val_dataloader=dict(**__loader, dataset=dict(data_root=__root, pipeline=__test_pipeline)),
    evaluator=dict(ann_file=__root + 'annotations/instances_val2017.json'),
    tta_pipeline=[
        __load,
        dict(type='TestTimeAug', transforms=[
            [dict(type='Resize', scale=size, keep_ratio=True) for size in (__scale, (480, 384))],
            [dict(type='RandomFlip', prob=1.), dict(type='RandomFlip', prob=0.)],
            [__boxes],
            [dict(type='PackDetInputs', meta_keys=(*__meta, 'flip', 'flip_direction'))],
        ])
    ],
    train_cfg=dict(max_epochs=__epochs),
    optim_wrapper=dict(
        _delete_=True,
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=0.001, weight_decay=0.01),
        clip_grad=dict(max_norm=10, norm_type=2)),
    auto_scale_lr=dict(base_batch_size=4),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=100),
        dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=__epochs, T_max=__epochs, eta_min_ratio=0.01,
             convert_to_iter_based=True)
    ],
    default_hooks=dict(
        logger=dict(interval=20),
        checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', max_keep_ckpts=1,
                        save_best='coco/bbox_mAP', rule='greater')))

"""Schedule and evaluation of detectors on the generated sample set. A base only."""
__root = 'data/sample/'
__epochs = 6
# No worker processes: on two cores they cost training more time than they save.
__loader = dict(batch_size=4, num_workers=0, persistent_workers=False)
__test_loader = dict(batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(data_root=__root))
__evaluator = dict(ann_file=__root + 'annotations/instances_val2017.json')

# mmengine merges a config over its bases, but does not merge bases over each other. So these entries have a common
# key, and a derived config merges them over the detector of its first base: _base_.merge(_base_.pop('sample')).
sample = dict(
    sample=None,  # unused, kept so that merged configs do not change
    model=dict(backbone=dict(arch='w18_small_v1', init_cfg=None), neck=dict(arch='w18_small_v1')),
    data_root=__root,
    train_dataloader=__loader,
    val_dataloader=__test_loader,
    test_dataloader=__test_loader,
    val_evaluator=__evaluator,
    test_evaluator=__evaluator,
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

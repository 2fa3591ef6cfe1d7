"""What the pose jobs on the generated sample set share. A base only; it cannot be run.

All of it stands below one name, as in sample_detection.py, and a job picks from it what it needs.
"""
__root = 'data/sample/'
__epochs = 60
__size = (96, 128)
__codec = dict(type='UDPHeatmap', input_size=__size, heatmap_size=(24, 32), sigma=1.5)
__load = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale')]
__affine = dict(type='TopdownAffine', input_size=__size, use_udp=True)
# No worker processes: on two cores they cost training more time than they save.
__loader = dict(batch_size=32, num_workers=0, persistent_workers=False)
__data = dict(type='CocoDataset', data_root=__root, data_mode='topdown')

sample = dict(
    data_root=__root,
    codec=__codec,
    train_dataloader=dict(
        **__loader,
        dataset=dict(
            **__data, ann_file='annotations/person_keypoints_train2017.json', data_prefix=dict(img='train2017/'),
            pipeline=[
                *__load,
                dict(type='RandomFlip', direction='horizontal'),
                dict(type='RandomBBoxTransform', shift_factor=0.1, rotate_factor=30, scale_factor=(0.75, 1.25)),
                __affine,
                dict(type='GenerateTarget', encoder=__codec),
                dict(type='PackPoseInputs'),
            ])),
    # bbox_file=None: persons are cut out where the annotations have them, not where a detector found them
    val_dataloader=dict(
        **__loader,
        dataset=dict(
            **__data, ann_file='annotations/person_keypoints_val2017.json', data_prefix=dict(img='val2017/'),
            bbox_file=None, test_mode=True, pipeline=[*__load, __affine, dict(type='PackPoseInputs')])),
    evaluator=dict(type='CocoMetric', ann_file=__root + 'annotations/person_keypoints_val2017.json'),
    train_cfg=dict(max_epochs=__epochs, val_interval=10),
    optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.002)),
    param_scheduler=[
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
        dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=__epochs, T_max=__epochs, eta_min_ratio=0.01,
             convert_to_iter_based=True)
    ],
    default_hooks=dict(
        logger=dict(interval=9),
        checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', interval=10, max_keep_ckpts=1,
                        save_best='coco/AP', rule='greater')),
    auto_scale_lr=dict(base_batch_size=32))

"""Crops of 520 x 520 of images with a short side of 520. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation for ADE20K and COCO-Stuff 10k.
"""
__train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', reduce_zero_label=True),
    dict(type='Resize', scale=(2080, 520), keep_ratio=True),
    dict(type='RandomResize', scale=(520, 520), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(520, 520)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# Annotations are loaded after resizing and compared at their original size.
__test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(2080, 520), keep_ratio=True),
    dict(type='LoadAnnotations', reduce_zero_label=True),
    dict(type='PackSegInputs'),
]
# Merged over the dataset of another base: _base_.merge(_base_.pop('crops_520')).
crops_520 = dict(
    crop_size=(520, 520),
    train_pipeline=__train_pipeline,
    test_pipeline=__test_pipeline,
    tta_pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='TestTimeAug', transforms=[
            # 0.5 to 1.75 times the single-scale test size
            [
                dict(type='Resize', scale=(1040, 260), keep_ratio=True),
                dict(type='Resize', scale=(1560, 390), keep_ratio=True),
                dict(type='Resize', scale=(2080, 520), keep_ratio=True),
                dict(type='Resize', scale=(2600, 650), keep_ratio=True),
                dict(type='Resize', scale=(3120, 780), keep_ratio=True),
                dict(type='Resize', scale=(3640, 910), keep_ratio=True),
            ],
            [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
            [dict(type='LoadAnnotations', reduce_zero_label=True)],
            [dict(type='PackSegInputs')],
        ])
    ],
    train_dataloader=dict(batch_size=4, dataset=dict(pipeline=__train_pipeline)),
    val_dataloader=dict(dataset=dict(pipeline=__test_pipeline)),
    test_dataloader=dict(dataset=dict(pipeline=__test_pipeline)),
    optim_wrapper=dict(optimizer=dict(weight_decay=0.0001)))
auto_scale_lr = dict(enable=False, base_batch_size=16)

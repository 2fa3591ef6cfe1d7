"""Crops of 480 x 480 of images with a long side of 520. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation for PASCAL-Context.
"""
__train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(520, 520), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(480, 480)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# Merged over the dataset of another base: _base_.merge(_base_.pop('crops_480')).
crops_480 = dict(
    crop_size=(480, 480),
    train_pipeline=__train_pipeline,
    tta_pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='TestTimeAug', transforms=[
            # 0.5 to 1.75 times the single-scale test size
            [
                dict(type='Resize', scale=(260, 260), keep_ratio=True),
                dict(type='Resize', scale=(390, 390), keep_ratio=True),
                dict(type='Resize', scale=(520, 520), keep_ratio=True),
                dict(type='Resize', scale=(650, 650), keep_ratio=True),
                dict(type='Resize', scale=(780, 780), keep_ratio=True),
                dict(type='Resize', scale=(910, 910), keep_ratio=True),
            ],
            [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ])
    ],
    train_dataloader=dict(batch_size=4, dataset=dict(pipeline=__train_pipeline)),
    optim_wrapper=dict(optimizer=dict(lr=0.004, weight_decay=0.0001)))
auto_scale_lr = dict(enable=False, base_batch_size=16)

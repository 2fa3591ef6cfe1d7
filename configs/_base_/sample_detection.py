"""Images, schedule and evaluation of detectors on the generated sample set. A base only."""
_base_ = './sample_schedule.py'

__test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(320, 256), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
sample = dict(
    train_dataloader=dict(
        dataset=dict(
            data_root='data/sample/',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='LoadAnnotations', with_bbox=True),
                dict(type='Resize', scale=(320, 256), keep_ratio=True),
                dict(type='RandomFlip', prob=0.5),
                dict(type='PackDetInputs'),
            ])),
    val_dataloader=dict(dataset=dict(pipeline=__test_pipeline)),
    test_dataloader=dict(dataset=dict(pipeline=__test_pipeline)))

"""Job of a detector without masks on the generated sample set, with test-time augmentation. A base only."""
_base_ = './sample_detection.py'

sample = dict(
    tta_pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='TestTimeAug', transforms=[
            [
                dict(type='Resize', scale=(320, 256), keep_ratio=True),
                dict(type='Resize', scale=(480, 384), keep_ratio=True),
            ],
            [dict(type='RandomFlip', prob=1.), dict(type='RandomFlip', prob=0.)],
            [dict(type='LoadAnnotations', with_bbox=True)],
            [
                dict(type='PackDetInputs', meta_keys=(
                    'img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction'))
            ],
        ])
    ])

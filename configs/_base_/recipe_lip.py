"""Official segmentation recipe for LIP. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation.
"""
_base_ = './schedule_110k.py'

# mmsegmentation has the dataset but no config for it. In a flipped image, left arms, legs and shoes become right ones.
__left_right = [(14, 15), (16, 17), (18, 19)]
data_root = 'data/LIP/'
crop_size = (473, 473)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(473, 473), keep_ratio=False),
    dict(type='RandomResize', scale=(473, 473), ratio_range=(0.5, 1.6), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5, swap_seg_labels=__left_right),
    dict(type='PackSegInputs'),
]
# Annotations are loaded after resizing and compared at their original size.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(473, 473), keep_ratio=False),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(
    batch_size=10, num_workers=4, persistent_workers=True, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='LIPDataset', data_root=data_root, pipeline=train_pipeline, data_prefix=dict(
            img_path='TrainVal_images/train_images', seg_map_path='TrainVal_parsing_annotations/train_segmentations')))
val_dataloader = dict(
    batch_size=1, num_workers=4, persistent_workers=True, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='LIPDataset', data_root=data_root, pipeline=test_pipeline, data_prefix=dict(
            img_path='TrainVal_images/val_images', seg_map_path='TrainVal_parsing_annotations/val_segmentations')))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator

# Flipped images: left and right classes are swapped before the predictions are merged.
tta_model = dict(_delete_=True, type='hrnet_plugin.LeftRightTTAModel', swap_seg_labels=__left_right)
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='Resize', scale=(473, 473), keep_ratio=False)],
        [dict(type='RandomFlip', prob=0.), dict(type='RandomFlip', prob=1.)],
        [dict(type='LoadAnnotations')],
        [dict(type='PackSegInputs')],
    ])
]

optim_wrapper = dict(optimizer=dict(lr=0.007, weight_decay=0.0005))
auto_scale_lr = dict(enable=False, base_batch_size=40)

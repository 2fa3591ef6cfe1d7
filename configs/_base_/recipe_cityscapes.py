"""Official segmentation recipe for Cityscapes. A base only.

Source: the experiment files of HRNet-Semantic-Segmentation.
"""
_base_ = ['mmseg::_base_/datasets/cityscapes.py', './schedule_120k.py']

crop_size = (512, 1024)
# weights of the 19 classes, from the official code
class_weight = [0.8373, 0.918, 0.866, 1.0345, 1.0166, 0.9969, 0.9754, 1.0489, 0.8786, 1.0023, 0.9539, 0.9843, 1.1116,
                0.9037, 1.0865, 1.0955, 1.0865, 1.1529, 1.0507]
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(2048, 2048), ratio_range=(0.5, 2.1), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]

train_dataloader = dict(batch_size=3, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.01, weight_decay=0.0005))
auto_scale_lr = dict(enable=False, base_batch_size=12)

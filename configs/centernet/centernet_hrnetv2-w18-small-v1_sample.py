"""CenterNet (objects as points) on HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin centernet_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['./centernet_hrnetv2-w18_crop512-140e_coco.py', '../_base_/sample_schedule.py']
_base_.merge(_base_.pop('sample'))

model = dict(neck=dict(out_channels=64), bbox_head=dict(in_channels=64))
# The pipelines of the base, with smaller images: the head requires the padding of each test image.
train_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomCenterCropPad', crop_size=(256, 320), ratios=(0.8, 0.9, 1.0, 1.1), mean=[0, 0, 0], std=[1, 1, 1],
         to_rgb=True, test_pad_mode=None),
    dict(type='Resize', scale=(320, 256), keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
train_dataloader = dict(
    dataset=dict(times=1, dataset=dict(data_root='data/sample/', pipeline=train_pipeline)))

"""CenterNet (keypoint triplets) on HRNetV2-W18-small-v1, on the generated sample set, from random weights.

    hrnet sample-set data/sample
    mim train hrnet_plugin centernet-triplet_hrnetv2-w18-small-v1_sample.py
"""
_base_ = ['./centernet-triplet_hrnetv2-w48_crop511-480k_coco.py', '../_base_/sample_schedule.py']
_base_.merge(_base_.pop('sample'))

model = dict(
    neck=dict(out_channels=64), bbox_head=dict(in_channels=64, feat_channels=64, pool_channels=32))
# the pipelines of the base, with smaller images
train_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomCenterCropPad', crop_size=(255, 255), ratios=(0.8, 0.9, 1.0, 1.1),
         mean=_base_.data_preprocessor.mean, std=_base_.data_preprocessor.std, to_rgb=True, test_pad_mode=None),
    dict(type='Resize', scale=(255, 255), keep_ratio=False),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs')
]
train_dataloader = dict(
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(data_root='data/sample/', pipeline=train_pipeline))
train_cfg = dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=6, val_interval=1)
default_hooks = dict(checkpoint=dict(by_epoch=True, interval=1))
log_processor = dict(by_epoch=True)

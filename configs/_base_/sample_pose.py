"""Data and schedule of the pose jobs on the generated sample set. A base only."""
_base_ = '../td_hm/td-hm_hrnetv1-w32_udp-210e_coco-256x192.py'

data_root = 'data/sample/'
__epochs = 60
__size = (96, 128)
__affine = dict(type='TopdownAffine', input_size=__size, use_udp=True)
codec = dict(type='UDPHeatmap', input_size=__size, heatmap_size=(24, 32), sigma=1.5)
model = dict(head=dict(decoder=codec))
# No worker processes: on two cores they cost training more time than they save.
train_dataloader = dict(
    batch_size=32, num_workers=0, persistent_workers=False,
    dataset=dict(
        type='CocoDataset', data_root=data_root, data_mode='topdown', data_prefix=dict(img='train2017/'),
        ann_file='annotations/person_keypoints_train2017.json',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomFlip', direction='horizontal'),
            dict(type='RandomBBoxTransform', shift_factor=0.1, rotate_factor=30, scale_factor=(0.75, 1.25)),
            __affine,
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseInputs'),
        ]))
# bbox_file=None: persons are cropped at the annotated boxes, not at those of a detector.
val_dataloader = dict(
    batch_size=32, num_workers=0, persistent_workers=False,
    dataset=dict(
        type='CocoDataset', data_root=data_root, data_mode='topdown', data_prefix=dict(img='val2017/'),
        ann_file='annotations/person_keypoints_val2017.json', bbox_file=None, test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            __affine,
            dict(type='PackPoseInputs'),
        ]))
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_val2017.json')
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=__epochs, val_interval=10)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.002))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=True, begin=0, end=__epochs, T_max=__epochs, eta_min_ratio=0.01,
         convert_to_iter_based=True)
]
default_hooks = dict(
    logger=dict(interval=9),
    checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', interval=10, max_keep_ckpts=1,
                    save_best='coco/AP', rule='greater'))
auto_scale_lr = dict(base_batch_size=32)
sample = None  # unused, kept so that existing study folders have the same config

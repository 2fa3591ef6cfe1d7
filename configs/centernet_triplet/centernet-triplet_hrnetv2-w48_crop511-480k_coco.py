"""CenterNet (keypoint triplets) on HRNetV2-W48, COCO, 480,000 iterations.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w48_crop511-480k_coco.py
"""
_base_ = ['mmdet::cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py', '../_base_/detector_hrnetv2p.py']
_base_.merge(_base_.pop('hrnet'))

# the recipe of CenterNet's authors (arXiv 1904.08189). They always test with flipping: --tta
model = dict(
    type='SingleStageDetector',
    backbone=dict(arch='w48', norm_eval=False, init_cfg=dict(checkpoint='open-mmlab://msra/hrnetv2_w48')),
    # one feature map of stride 4
    neck=dict(type='hrnet_plugin.HRNetV2', arch='w48'),
    bbox_head=dict(
        _delete_=True,
        type='hrnet_plugin.CenterTripletHead',
        num_classes=80,
        in_channels=256,
        loss_embedding=dict(type='AssociativeEmbeddingLoss', pull_weight=0.1, push_weight=0.1)),
    test_cfg=dict(
        _delete_=True,
        corner_topk=70,
        center_topk=70,
        local_maximum_kernel=3,
        distance_threshold=0.5,
        central_region=dict(scale=150, small=3, large=5),
        nms=dict(type='soft_nms', iou_threshold=0.5, method='gaussian'),
        max_per_img=100))

train_dataloader = dict(sampler=dict(_delete_=True, type='InfiniteSampler', shuffle=True))
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=480000, val_interval=10000)
optim_wrapper = dict(optimizer=dict(lr=0.00025), clip_grad=None)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[450000], gamma=0.1)]
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=10000))
log_processor = dict(by_epoch=False)
auto_scale_lr = dict(enable=False, base_batch_size=48)

tta_model = dict(_delete_=True, type='hrnet_plugin.CenterTripletTTAModel')
tta_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True, backend_args=_base_.backend_args),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=1.0, keep_ratio=True)],
            # before padding, so that the border belongs to the flipped image
            [dict(type='RandomFlip', prob=1.), dict(type='RandomFlip', prob=0.)],
            [_base_.test_pipeline[1]],
            [dict(type='LoadAnnotations', with_bbox=True)],
            [
                dict(
                    type='PackDetInputs',
                    meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip', 'flip_direction',
                               'border'))
            ],
        ])
]

"""CenterNet (keypoint triplets), HRNetV2-W48, crops of 511 x 511, 480000 iterations of 48 images.

Published (arXiv 1908.07919): val AP 43.4 / 61.8 / 45.6 / 23.8 / 47.1 / 59.3 (table 9), test-dev 43.5 (table 11), as
AP / AP50 / AP75 / small / medium / large. Nobody has released weights. The recipe is that of CenterNet's authors (arXiv
1904.08189); their tests always add the mirror image, which is ``--tta`` here.

    mim train hrnet_plugin centernet-triplet_hrnetv2-w48_crop511-480k_coco.py
"""
_base_ = 'mmdet::cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py'

# Not needed to build the model. But mmdet's DetInferencer reads weights before it does that, and the plugin has to have
# said by then that mmengine's checkpoints are safe.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)

model = dict(
    type='SingleStageDetector',
    backbone=dict(
        _delete_=True,
        type='hrnet_plugin.HRNet',
        arch='w48',
        norm_eval=False,
        init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint='open-mmlab://msra/hrnetv2_w48')),
    # one map of stride 4
    neck=dict(_delete_=True, type='hrnet_plugin.HRNetV2', arch='w48', out_channels=256),
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
            # before the padding, so that the border is that of the mirror image
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

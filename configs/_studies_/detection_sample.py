"""Representations for detection (the paper's figure 10) on the generated sample set, with a narrow network.

Faster R-CNN on a pyramid of all streams (HRNetV2p), of the finest one (V1), and of the finest one widened to as many
channels as all have (V1h). The paper shows these as bars, without numbers.

    mim run hrnet_plugin sample_set data/study --train 1600 --val 400
    mim run hrnet_plugin ablate detection_sample --data-root data/study
"""
__epochs = 1
__streams = {
    f'stage{s}': dict(num_modules=modules, num_branches=s, block='BASIC', num_blocks=(1, ) * s,
                      num_channels=(16, 32, 64, 128)[:s])
    for s, modules in zip((2, 3, 4), (1, 4, 3))
}
__arch = dict(
    _delete_=True, **__streams,
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(2, ), num_channels=(16, )))
__pyramid = dict(type='hrnet_plugin.HRFPN', out_channels=64, norm_cfg=dict(type='BN'))

config = 'faster-rcnn_hrnetv2p-w18-small-v1_sample'
metrics = {'AP': 'coco/bbox_mAP', 'small': 'coco/bbox_mAP_s', 'medium': 'coco/bbox_mAP_m', 'large': 'coco/bbox_mAP_l'}
scale = 100
shape = (256, 320)
seeds = 5
options = {
    'train_dataloader.batch_size': 2,
    'model.backbone.arch': __arch,
    'model.neck.arch': __arch,
    'train_cfg.max_epochs': __epochs,
    'param_scheduler.1.end': __epochs,
    'param_scheduler.1.T_max': __epochs,
    'default_hooks.checkpoint.save_best': None,
}
variants = {
    'V2p': dict(),
    'V1': dict(options={
        'model.backbone.multiscale_output': False,
        'model.neck': dict(_delete_=True, **__pyramid, in_channels=(16, )),
    }),
    'V1h': dict(options={
        'model.backbone.multiscale_output': False,
        'model.neck': [
            dict(type='hrnet_plugin.HRNetV2', in_channels=(16, ), out_channels=240),
            dict(**__pyramid, in_channels=(240, )),
        ],
    }),
}

"""Representations for detection (the paper's figure 10) on the generated sample set, with a narrow network.

Faster R-CNN on a pyramid of all streams (V2p) or of the finest stream (V1). V1h widens the finest stream to the
channels of all. The paper shows them as bars.

    hrnet sample-set data/study --train 1600 --val 400
    hrnet ablate detection_sample --data-root data/study
"""
_base_ = '../_base_/study_network.py'
__epochs = 1
__arch = _base_.pop('arch')
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

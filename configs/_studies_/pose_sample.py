"""The paper's ablations of pose estimation (section 7) on the generated sample set, with a narrow network.

HRNetV1 with the modules of W32, half as wide and with a quarter of the blocks. The published figures are keypoint AP of
W32 at 256 x 192 on COCO val2017.

    hrnet sample-set data/study --train 1600 --val 400
    hrnet ablate pose_sample --data-root data/study
"""
_base_ = '../_base_/study_network.py'
__epochs = 8
__arch = _base_.pop('arch')
__four = dict(num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1), num_channels=(16, 28, 44, 78))
__equal_depth = dict(
    _delete_=True, stage1=__arch.stage1, stage2=dict(__four, num_modules=1), stage3=dict(__four, num_modules=4),
    stage4=dict(__four, num_modules=3))
__one = dict(num_branches=1, block='BASIC', num_blocks=(1, ), num_channels=(32, ))
__single_stream = dict(
    _delete_=True, stage1=__arch.stage1, stage2=dict(__one, num_modules=1), stage3=dict(__one, num_modules=4),
    stage4=dict(__one, num_modules=3))

config = 'td-hm_hrnetv1-w18-small-v1_sample'
metrics = {'AP': 'coco/AP', 'AUC': 'AUC'}
scale = 100
shape = (128, 96)
seeds = 5
options = {
    'model.backbone.arch': __arch,
    'model.head.in_channels': 16,
    'model.backbone.init_cfg': [
        dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm'])],
    'train_dataloader.dataset.pipeline.3.rotate_factor': 0,
    'train_dataloader.batch_size': 16,
    # AP tolerates small errors. The area under the PCK curve also measures small differences.
    'val_evaluator': [
        dict(type='CocoMetric', ann_file='data/sample/annotations/person_keypoints_val2017.json'),
        dict(type='AUC'),
    ],
    'train_cfg.max_epochs': __epochs,
    'param_scheduler.1.end': __epochs,
    'param_scheduler.1.T_max': __epochs,
    'default_hooks.checkpoint.interval': 2,
    'default_hooks.checkpoint.save_best': None,
}
variants = {
    '8 fusions': dict(published=dict(AP=73.4)),
    '3 fusions': dict(options={'model.backbone.fusion': 'across-stage'}, published=dict(AP=71.9)),
    '1 fusion': dict(options={'model.backbone.fusion': 'final'}, published=dict(AP=70.8)),
    'bilinear down': dict(options={'model.backbone.downsample': 'bilinear'}, published=dict(AP=72.6)),
    'product': dict(options={'model.backbone.fusion_operator': 'product'}, published=dict(AP=54.7)),
    'equal depth': dict(options={'model.backbone.arch': __equal_depth}, published=dict(AP=72.5)),
    'single stream': dict(options={'model.backbone.arch': __single_stream, 'model.head.in_channels': 32}),
}

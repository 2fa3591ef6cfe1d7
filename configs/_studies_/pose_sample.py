"""The paper's ablations of pose estimation (section 7) on the generated sample set, with a narrow network.

HRNetV1 with the 1, 4 and 3 modules of W32, half as wide and with a quarter of the blocks. Published figures: keypoint
AP of W32 at 256 x 192 on COCO val2017.

    mim run hrnet_plugin sample_set data/study --train 1600 --val 400
    mim run hrnet_plugin ablate pose_sample --data-root data/study
"""
__epochs = 8


def __arch(streams, widths=(16, 32, 64, 128)):
    """Stages with so many streams in the second, third and fourth."""
    later = {
        f'stage{s}': dict(num_modules=modules, num_branches=number, block='BASIC', num_blocks=(1, ) * number,
                          num_channels=widths[:number])
        for s, modules, number in zip((2, 3, 4), (1, 4, 3), streams)
    }
    return dict(
        _delete_=True, **later,
        stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(2, ), num_channels=(16, )))


config = 'td-hm_hrnetv1-w18-small-v1_sample'
metrics = {'AP': 'coco/AP', 'AUC': 'AUC'}
scale = 100
shape = (128, 96)
seeds = 5
options = {
    'model.backbone.arch': __arch((2, 3, 4)),
    'model.head.in_channels': 16,
    'model.backbone.init_cfg': [
        dict(type='Kaiming', layer='Conv2d'), dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm'])],
    'train_dataloader.dataset.pipeline.3.rotate_factor': 0,
    'train_dataloader.batch_size': 16,
    # AP counts what is nearly right; the area under the curve of correct keypoints tells more of small differences
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
    'equal depth': dict(
        options={'model.backbone.arch': __arch((4, 4, 4), (16, 28, 44, 78))},
        published=dict(AP=72.5)),
    'single stream': dict(options={'model.backbone.arch': __arch((1, 1, 1), (32, )), 'model.head.in_channels': 32}),
}

"""The paper's ablations of segmentation (section 7) on the generated sample set, with a narrow network.

HRNetV2 with the modules of W48, a third as wide and with a quarter of the blocks. The published figures are mIoU of W48
on Cityscapes' validation set.

    hrnet sample-set data/study --train 1600 --val 400
    hrnet ablate segmentation_sample --data-root data/study
"""
_base_ = '../_base_/study_network.py'
__iters = 1200
__arch = _base_.pop('arch')
__four = dict(num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1), num_channels=(16, 28, 46, 80))
__equal_depth = dict(
    _delete_=True, stage1=__arch.stage1, stage2=dict(__four, num_modules=1), stage3=dict(__four, num_modules=4),
    stage4=dict(__four, num_modules=3))
__one = dict(num_branches=1, block='BASIC', num_blocks=(1, ), num_channels=(33, ))
__single_stream = dict(
    _delete_=True, stage1=__arch.stage1, stage2=dict(__one, num_modules=1), stage3=dict(__one, num_modules=4),
    stage4=dict(__one, num_modules=3))

config = 'fcn_hrnetv2-w18-small-v1_sample'
metrics = {'mIoU': 'mIoU'}
shape = (128, 128)
seeds = 5
options = {
    'model.backbone.arch': __arch,
    'model.decode_head.arch': __arch,
    'model.data_preprocessor.size': (128, 128),
    'train_dataloader.dataset.pipeline.2.crop_size': (128, 128),
    'val_dataloader.dataset.indices': 150,
    'train_cfg.max_iters': __iters,
    'param_scheduler.1.end': __iters,
    'default_hooks.checkpoint.save_best': None,
}
variants = {
    '8 fusions': dict(published=dict(mIoU=76.4)),
    '3 fusions': dict(options={'model.backbone.fusion': 'across-stage'}, published=dict(mIoU=75.4)),
    '1 fusion': dict(options={'model.backbone.fusion': 'final'}, published=dict(mIoU=74.8)),
    'bilinear down': dict(options={'model.backbone.downsample': 'bilinear'}, published=dict(mIoU=74.2)),
    'product': dict(options={'model.backbone.fusion_operator': 'product'}, published=dict(mIoU=66.0)),
    'equal depth': dict(
        options={'model.backbone.arch': __equal_depth, 'model.decode_head.arch': __equal_depth},
        published=dict(mIoU=75.7)),
    'single stream': dict(
        options={'model.backbone.arch': __single_stream, 'model.decode_head.arch': __single_stream}),
    # V1: linear classifier on the finest stream. V1h: the finest stream, widened to the channels of all streams.
    'V1': dict(options={
        'model.backbone.multiscale_output': False,
        'model.decode_head': dict(
            _delete_=True, type='mmseg.FCNHead', in_channels=16, in_index=0, channels=16, num_convs=0,
            concat_input=False, dropout_ratio=-1, num_classes=14, align_corners=False,
            loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy')),
    }),
    'V1h': dict(options={
        'model.backbone.multiscale_output': False,
        'model.decode_head.arch': None,
        'model.decode_head.in_channels': (16, ),
        'model.decode_head.channels': 240,
    }),
}

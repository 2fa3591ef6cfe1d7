"""The paper's ablations of segmentation (section 7) on the generated sample set, with a narrow network.

HRNetV2 with the 1, 4 and 3 modules of W48, a third as wide and with a quarter of the blocks. Published figures: mIoU of
W48 on Cityscapes' validation set.

    mim run hrnet_plugin sample_set data/study --train 1600 --val 400
    mim run hrnet_plugin ablate segmentation_sample --data-root data/study
"""
__iters = 1200


def __arch(streams, widths=(16, 32, 64, 128)):
    """Stages with so many streams in the second, third and fourth."""
    later = {
        f'stage{s}': dict(num_modules=modules, num_branches=number, block='BASIC', num_blocks=(1, ) * number,
                          num_channels=widths[:number])
        for s, modules, number in zip((2, 3, 4), (1, 4, 3), streams)
    }
    return dict(
        stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(2, ), num_channels=(16, )), **later)


def __network(*arch):
    """Backbone and head."""
    return {f'model.{part}.arch': dict(_delete_=True, **__arch(*arch)) for part in ('backbone', 'decode_head')}


config = 'fcn_hrnetv2-w18-small-v1_sample'
metrics = {'mIoU': 'mIoU'}
shape = (128, 128)
seeds = 5
options = {
    **__network((2, 3, 4)),
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
    'equal depth': dict(options=__network((4, 4, 4), (16, 28, 46, 80)), published=dict(mIoU=75.7)),
    'single stream': dict(options=__network((1, 1, 1), (33, ))),
    # a linear classifier on the finest stream; and on as many channels as all streams have, made of it
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

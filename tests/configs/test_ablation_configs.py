"""Ablation configs: each differs from another config of its folder only in the variant of its name."""

from __future__ import annotations

import catalogue
import pytest
from catalogue import ABLATIONS, load

# entries of the network that a variant may change, by a part of its name
CHANGED = {
    '-final-fusion_': {'backbone.fusion': 'final'},
    '-across-stage-fusion_': {'backbone.fusion': 'across-stage'},
    '-bilinear-down_': {'backbone.downsample': 'bilinear'},
    '-product_': {'backbone.fusion_operator': 'product'},
    'w32-equal-depth_': {'backbone.arch': 'w32_equal_depth'},
    'w48-equal-depth_': {'backbone.arch': 'w48_equal_depth', 'decode_head.arch': 'w48_equal_depth'},
    'w32-single-stream_': {'backbone.arch': 'w32_single_stream', 'head.in_channels': 60},
    'w48-single-stream_': {'backbone.arch': 'w48_single_stream', 'decode_head.arch': 'w48_single_stream'},
    'w48_scratch-': {'backbone.init_cfg': None},
    'faster-rcnn_hrnetv1-': {'backbone.multiscale_output': False, 'neck.arch': None, 'neck.in_channels': (32, )},
    'fcn_hrnetv1h-': {'backbone.multiscale_output': False, 'decode_head.arch': None, 'decode_head.channels': 720,
                      'decode_head.in_channels': (48, )},
}


def flat(value, prefix=''):
    if not isinstance(value, dict):
        return {prefix: value}
    return {name: entry for key, inner in value.items() if key != '_scope_'
            for name, entry in flat(inner, f'{prefix}.{key}' if prefix else key).items()}


def differences(name):
    """Return the model entries that differ from the default, with 'gone' for missing ones, and both other parts."""
    ours, theirs = (load(config).to_dict() for config in (name, ABLATIONS[name]))
    models = [flat(config.pop('model')) for config in (ours, theirs)]
    changed = {key: value for key, value in models[0].items() if models[1].get(key, '-') != value}
    return {**changed, **{key: 'gone' for key in models[1] if key not in models[0]}}, ours, theirs


def rest_is_the_same(ours, theirs, *but):
    return {key for key in {*ours, *theirs} if flat(ours.get(key)) != flat(theirs.get(key))} <= set(but)


@pytest.mark.parametrize(('name', 'part'), [(name, part) for name in ABLATIONS for part in CHANGED if part in name])
def test_only_the_variant_changes(name, part):
    pytest.importorskip(catalogue.host(name))
    changed, ours, theirs = differences(name)
    if part == 'w48_scratch-':
        changed = {key: value for key, value in changed.items() if not key.startswith('backbone.init_cfg.')}
    assert changed == CHANGED[part]
    assert rest_is_the_same(ours, theirs)


def test_every_ablation_is_tested():
    others = [name for name in ABLATIONS if not any(part in name for part in CHANGED)]
    assert sorted(others) == sorted([
        *(f'td-hm_hrnetv1-w32-{times}x_210e_coco-256x192' for times in (2, 4, 8)),
        'fcn_hrnetv1-w48_120k_cityscapes', 'faster-rcnn_hrnetv1h-w32_1x_coco', 'faster-rcnn_hrnetv2-w32_1x_coco'])


@pytest.mark.parametrize(('times', 'width', 'size'), [(2, 64, (24, 32)), (4, 128, (12, 16)), (8, 256, (6, 8))])
def test_heatmaps_of_a_coarser_stream(times, width, size):
    """Targets and decoder use the heatmap size of the stream that the head reads."""
    pytest.importorskip('mmpose')
    import torch
    from mmengine.registry import MODELS, DefaultScope
    name = f'td-hm_hrnetv1-w32-{times}x_210e_coco-256x192'
    _, ours, theirs = differences(name)
    assert rest_is_the_same(ours, theirs, 'codec', 'train_pipeline', 'train_dataloader', 'find_unused_parameters')
    config = load(name)
    steps = config.train_dataloader.dataset.pipeline
    encoder, = (step.encoder for step in steps if step.type == 'GenerateTarget')
    assert [step.type for step in steps] == [step['type'] for step in theirs['train_pipeline']]
    assert flat(encoder.to_dict()) == flat(config.model.head.decoder.to_dict()) == flat(config.codec.to_dict())
    assert flat(config.codec.to_dict()) == flat({**theirs['codec'], 'heatmap_size': size})
    with DefaultScope.overwrite_default_scope('mmpose'), torch.device('meta'):
        model = MODELS.build(config.model).eval()
        out = model(torch.zeros(1, 3, 256, 192, device='meta'), None, mode='tensor')
    assert out.shape == (1, 17, *size[::-1])
    assert model.head.in_channels == width


def test_v1_is_a_linear_classifier_on_the_finest_stream():
    pytest.importorskip('mmseg')
    import torch
    from mmengine.registry import MODELS, DefaultScope
    name = 'fcn_hrnetv1-w48_120k_cityscapes'
    _, ours, theirs = differences(name)
    assert rest_is_the_same(ours, theirs)
    config = load(name)
    assert config.model.decode_head.loss_decode == load(ABLATIONS[name]).model.decode_head.loss_decode
    with DefaultScope.overwrite_default_scope('mmseg'), torch.device('meta'):
        head = MODELS.build(config.model).decode_head
    assert [(key, tuple(x.shape)) for key, x in head.state_dict().items() if 'loss' not in key] == [
        ('conv_seg.weight', (19, 48, 1, 1)), ('conv_seg.bias', (19, ))]


@pytest.mark.parametrize(('name', 'levels'), [('faster-rcnn_hrnetv1h-w32_1x_coco', 5),
                                              ('faster-rcnn_hrnetv2-w32_1x_coco', 1)])
def test_representations_for_detection(name, levels):
    pytest.importorskip('mmdet')
    import torch
    from mmengine.registry import MODELS, DefaultScope
    _, ours, theirs = differences(name)
    assert rest_is_the_same(ours, theirs)
    with DefaultScope.overwrite_default_scope('mmdet'), torch.device('meta'):
        model = MODELS.build(load(name).model).eval()
        feats = model.extract_feat(torch.zeros(1, 3, 256, 320, device='meta'))
    assert [tuple(x.shape) for x in feats] == [(1, 256, 64 // 2**i, 80 // 2**i) for i in range(levels)]
    assert model.rpn_head.num_base_priors * levels == 15
    if levels > 1:
        assert model.neck[0].merge_conv.conv.weight.shape == (480, 32, 1, 1)

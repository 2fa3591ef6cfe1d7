"""Configs for mmpose and mmsegmentation: published rows and results, networks and recipes."""

from __future__ import annotations

import re
from pathlib import Path

import catalogue
import pytest
import torch
from catalogue import SAMPLE, index, load, readme_row
from mmengine.config import Config
from mmengine.registry import MODELS, TRANSFORMS, DefaultScope

from hrnet_plugin.arch import arch_channels

ROWS = [name for name in catalogue.PUBLISHED if name not in catalogue.ABLATIONS]
POSE, SEGMENTATION = (catalogue.of_host(host, names=ROWS) for host in ('mmpose', 'mmseg'))
ABLATIONS = catalogue.of_host('mmpose', 'mmseg', names=catalogue.ABLATIONS)
SIZES = ('256x192', '384x288')
WIDTHS = ('w18-small-v2', 'w18', 'w40', 'w48')
# dataset -> (iterations, classes, crop, batch size, learning rate, weight decay) of the official experiment files
RECIPES = {
    'cityscapes': ('120k', 19, (512, 1024), 12, 0.01, 5e-4),
    'pascal-context-59': ('60k', 59, (480, 480), 16, 0.004, 1e-4),
    'pascal-context-60': ('60k', 60, (480, 480), 16, 0.004, 1e-4),
    'lip': ('110k', 20, (473, 473), 40, 0.007, 5e-4),
    'ade20k': ('150k', 150, (520, 520), 16, 0.02, 1e-4),
    'coco-stuff10k': ('60k', 171, (520, 520), 16, 0.001, 1e-4),
}


def test_configs_are_those_of_the_published_rows():
    assert sorted(POSE) == sorted([
        *(f'td-hm_hrnetv1-{w}_{kind}210e_coco-{size}' for w in ('w32', 'w48') for kind in ('', 'udp-', 'dark-')
          for size in SIZES),
        *(f'td-hm_hrnetv{v}-w32_scratch-210e_coco-256x192' for v in (1, 2)),
        *(f'td-hm_hrnetv2-{w}_210e_coco-256x192' for w in ('w32', 'w48')),
        *(f'td-hm_hrnetv1-{w}_210e_mpii-256x256' for w in ('w32', 'w48')),
        *(f'td-hm_hrnetv2-w18_60e_{faces}-256x256' for faces in ('wflw', 'aflw', 'cofw', '300w'))])
    assert sorted(SEGMENTATION) == sorted(
        f'{head}_hrnetv2-{w}_{recipe[0]}_{data}' for head in ('fcn', 'ocr') for w in WIDTHS
        for data, recipe in RECIPES.items())
    assert len(SAMPLE) == 12 + 4


@pytest.mark.parametrize('name', [*POSE, *SEGMENTATION, *ABLATIONS])
def test_readme_and_index_have_the_same_figures(name):
    cells = readme_row(name).strip('|').split('|')[1:]
    figures = {float(figure) for cell in cells for figure in re.findall(r'\b\d+\.\d+\b', cell)}
    listed = [figure for result in index()[name].get('Results', []) for figure in result['Metrics'].values()]
    assert {float(figure) for figure in listed} <= figures
    # the last column has the results of mmsegmentation, whose recipe differs
    assert listed or not any(re.search(r'\d\.\d', cell) for cell in cells[:2])


@pytest.mark.parametrize('name', POSE)
def test_pose_configs_differ_from_mmpose_only_in_the_network(name):
    """Data, codec, losses, schedule and state-dict keys are those of the inherited config."""
    pytest.importorskip('mmpose')
    ours = load(name)
    source = re.search(r"'(mmpose::\S+)'", (catalogue.CONFIG_FILES[name]).read_text())
    if source is None:
        assert name.startswith(('td-hm_hrnetv2-w', 'td-hm_hrnetv1-w32_scratch'))
        return
    theirs = Config.fromstring(f"_base_ = '{source.group(1)}'", '.py')
    plain = [_plain(config.to_dict()) for config in (ours, theirs)]
    for config in plain:
        config.pop('custom_imports', None)
        del config['model']['backbone']
    assert plain[0] == plain[1]
    with DefaultScope.overwrite_default_scope('mmpose'), torch.device('meta'):
        states = [MODELS.build(config.model).state_dict() for config in (ours, theirs)]
    assert list(states[0]) == list(states[1])
    assert all(states[0][key].shape == states[1][key].shape for key in states[1])
    released = index()[name].get('Weights', '')
    width, data = re.search(r'(w\d+)_.*_([\w-]+?)-\d', name).groups()
    assert f'{width}' in released
    assert data in released


def _plain(value):
    """Remove mmengine's marks of the origin of inherited entries."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if key != '_scope_'}
    return [_plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize('name', SEGMENTATION)
def test_the_official_recipe(name):
    head, width, iterations, data = re.fullmatch(r'(\w+)_hrnetv2-(w\S+?)_(\d+)k_(\S+)', name).groups()
    config, (_, classes, crop, images, rate, decay) = load(name), RECIPES[data]
    own_pascal = head == 'ocr' and data.startswith('pascal')
    if own_pascal:
        crop, rate = (520, 520), 0.001
    assert config.train_cfg.max_iters == 1000 * int(iterations) == config.param_scheduler[-1].end
    assert config.param_scheduler[-1].eta_min == 0
    assert (config.optim_wrapper.optimizer.lr, config.optim_wrapper.optimizer.weight_decay) == (rate, decay)
    multiplier = config.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {}).get('decode_head', {})
    assert (multiplier == dict(lr_mult=10.)) == (own_pascal or data == 'coco-stuff10k')
    assert 4 * config.train_dataloader.batch_size == images == config.auto_scale_lr.base_batch_size
    steps = {step.type: step for step in config.train_dataloader.dataset.pipeline}
    assert tuple(steps['RandomCrop'].crop_size) == crop == tuple(config.model.data_preprocessor.size)
    assert 'PhotoMetricDistortion' not in steps
    widest = 1.6 if data == 'lip' or (head, data) == ('fcn', 'ade20k') else 2.1
    assert steps['RandomResize'].ratio_range == (0.5, widest)
    assert config.crop_size == RECIPES[data][2]
    heads = config.model.decode_head if head == 'ocr' else [config.model.decode_head]
    assert [part.type for part in heads] == ['hrnet_plugin.FCNHead', 'hrnet_plugin.OCRHead'][:len(heads)]
    aligned = head == 'ocr' or data in ('ade20k', 'coco-stuff10k')
    upsample = config.model.backbone.upsample
    assert upsample == (dict(mode='bilinear', align_corners=True) if aligned else 'bilinear')
    for k, part in enumerate(heads):
        loss = part.loss_decode
        assert (part.num_classes, part.align_corners, part.arch) == (classes, aligned, config.model.backbone.arch)
        assert loss.type == 'hrnet_plugin.PixelCrossEntropy'
        assert loss.get('loss_weight', 1.) == (0.4 if head == 'ocr' and k == 0 else 1.)
        mined = data in ('ade20k', 'coco-stuff10k')
        mined = mined and k == len(heads) - 1  # OCR: only the last output
        assert (loss.get('thresh'), loss.get('min_kept')) == ((0.9, 131072) if mined else (None, None))
        assert part.get('dropout_ratio', -1) == (0.05 if k else -1)
        slow = head == 'fcn' and data not in ('ade20k', 'coco-stuff10k')
        assert part.norm_cfg.get('momentum') == config.model.backbone.norm_cfg.get('momentum') == (
            0.01 if slow else None)
        assert len(loss.get('class_weight', [])) == (19 if data == 'cityscapes' else 0)
        assert part.norm_cfg.type == config.model.backbone.norm_cfg.type == 'SyncBN'
    small = width.replace('w18-small-v2', 'w18_small')
    assert config.model.backbone.init_cfg.checkpoint == f'open-mmlab://msra/hrnetv2_{small}'
    assert sum(arch_channels(config.model.backbone.arch)) in (270, 600, 720)


@pytest.mark.parametrize('name', SEGMENTATION)
def test_pipelines_build(name):
    pytest.importorskip('mmseg')
    config = load(name)
    with DefaultScope.overwrite_default_scope('mmseg'):
        for views in config.tta_pipeline[1]['transforms']:
            for view in views:
                TRANSFORMS.build(view)
        for loader in (config.train_dataloader, config.val_dataloader):
            pipeline = loader.dataset.pipeline
            for step in pipeline:
                TRANSFORMS.build(step)
            # annotations are compared at their original size
            types = [step.type for step in pipeline]
            assert loader is config.train_dataloader or types.index('Resize') < types.index('LoadAnnotations')


def test_left_and_right_classes_are_swapped_in_flipped_images():
    pytest.importorskip('mmseg')
    import numpy as np
    config = load('fcn_hrnetv2-w48_110k_lip')
    flip, = (step for step in config.train_dataloader.dataset.pipeline if step.type == 'RandomFlip')
    with DefaultScope.overwrite_default_scope('mmseg'):
        mirror = TRANSFORMS.build({**flip, 'prob': 1.})
        classes = MODELS.build(dict(**config.tta_model, module=config.model))
    labels = np.arange(20, dtype=np.uint8)[None].repeat(2, 0)
    flipped = mirror(dict(img=np.zeros((2, 20, 3), np.uint8), gt_seg_map=labels.copy(), seg_fields=['gt_seg_map']))
    order = [*range(14), 15, 14, 17, 16, 19, 18]
    assert flipped['gt_seg_map'].tolist() == 2 * [order[::-1]]
    assert classes.pairs == [(14, 15), (16, 17), (18, 19)]
    names = pytest.importorskip('mmseg.datasets').LIPDataset.METAINFO['classes']
    for left, right in classes.pairs:
        assert names[left].replace('Left', '') == names[right].replace('Right', '')


@pytest.mark.parametrize('name', catalogue.of_host('mmseg'))
def test_mmsegs_interface_finds_its_pipeline(name):
    assert _plain(load(name).test_pipeline) == _plain(load(name).test_dataloader.dataset.pipeline)


def test_classes_of_the_sample_set_are_those_of_coco_stuff():
    pytest.importorskip('mmseg')
    from hrnet_plugin.experiments.sample_set.background import STUFF
    from hrnet_plugin.experiments.sample_set.scene import CATEGORIES
    config = load('fcn_hrnetv2-w18-small-v1_sample')
    classes = config.train_dataloader.dataset.metainfo.classes
    assert sorted(classes) == sorted([*CATEGORIES, *STUFF])
    assert config.model.decode_head.num_classes == len(classes)


@pytest.mark.parametrize('path', sorted(Path(catalogue.CONFIGS / '_base_').glob('*.py')), ids=lambda path: path.stem)
def test_docstrings_of_bases_contain_a_base_only(path):
    assert re.search(r'^""".*A base only', path.read_text())

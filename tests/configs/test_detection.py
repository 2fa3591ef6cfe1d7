"""Detection configs: published rows and results, networks, channel order and schedules."""

from __future__ import annotations

import re
from ast import literal_eval
from functools import cache

import catalogue
import pytest
import torch
from catalogue import SAMPLE, index, load, readme_row
from conftest import upstream_extra

from hrnet_plugin.arch import arch_channels

pytest.importorskip('mmdet')
from mmdet.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmdet_scope')

COCO = catalogue.of_host('mmdet', names=[name for name in catalogue.PUBLISHED if name not in catalogue.ABLATIONS])
ABLATIONS = catalogue.of_host('mmdet', names=catalogue.ABLATIONS)
SAMPLES = catalogue.of_host('mmdet', names=SAMPLE)

# family -> middle fields of its config names
WIDTHS = ('w18', 'w32', 'w40', 'w48')
PUBLISHED = {
    'faster-rcnn_hrnetv2p': [f'{w}_{s}' for w in WIDTHS for s in ('1x', '2x')] + [
        'w18_syncbn-1x', 'w18_syncbn-ms-1x', 'w18_syncbn-crop-1x', 'w18_syncbn-ms-2x', 'w18_syncbn-crop-2x',
        'w32_syncbn-ms-1x', 'w32_syncbn-ms-2x'],
    'cascade-rcnn_hrnetv2p': [f'{w}_20e' for w in WIDTHS],
    'fcos_hrnetv2p': [f'{w}_{s}' for w in WIDTHS for s in ('1x', '2x', 'ms-2x')] + [
        f'{w}-bgr_{s}' for w in ('w18', 'w32') for s in ('1x', '2x', 'ms-2x')] + [
        'w40-bgr_ms-2x', 'w18-6l_2x', 'w32-6l_ms-2x', 'w40-6l_ms-3x', 'w18_syncbn-ms-2x', 'w32_syncbn-ms-2x',
        'w32-6l_syncbn-ms-2x'],
    'mask-rcnn_hrnetv2p': [f'{w}_{s}' for w in WIDTHS for s in ('1x', '2x')],
    'cascade-mask-rcnn_hrnetv2p': [f'{w}_20e' for w in WIDTHS],
    'htc_hrnetv2p': [f'{w}_{s}' for w in WIDTHS for s in ('20e', '28e')],
    **{f'{family}_hrnetv2p': [f'{w}_1x' for w in ('w18', 'w32', 'w48')] for family in ('retinanet', 'atss', 'gfl')},
    'dino_hrnetv2p': [f'{w}_12e' for w in ('w18', 'w32', 'w48')],
    'centernet_hrnetv2': [f'{w}_crop512-140e' for w in ('w18', 'w32', 'w48')],
    'centernet-triplet_hrnetv2': [f'{w}_crop511-480k{test}' for w in ('w48', 'w64') for test in ('', '-mstest')],
}


def test_configs_are_those_of_the_published_rows():
    assert sorted(COCO) == sorted(f'{family}-{middle}_coco' for family, rows in PUBLISHED.items() for middle in rows)
    assert sorted(name.split('-w18-')[0] for name in SAMPLES) == sorted(PUBLISHED)


def test_epochs_in_the_index():
    for name in COCO:
        loop, said = load(name).train_cfg, index()[name]['Metadata']
        if loop.type == 'IterBasedTrainLoop':
            assert said['Iterations'] == loop.max_iters
        else:
            assert said['Epochs'] == loop.max_epochs * (5 if 'centernet' in name else 1)


@pytest.mark.parametrize('name', COCO)
def test_released_weights_are_those_of_the_config(name):
    weights = index()[name].get('Weights')
    row = readme_row(name)
    assert row.endswith('| yes |') == (weights is not None)
    if weights is None:
        return
    family, width, schedule = re.fullmatch(r'(.+)_hrnetv2p-(w\d+)(?:-bgr)?_(\S+)_coco', name).groups()
    released = weights.rsplit('/', 1)[-1].replace('_gn-head', '').replace('_mstrain_640-800', '_ms')
    assert released.replace('_4x4', '').replace('ms_2x', 'ms-2x').startswith(
        f'{family.replace("-", "_")}_hrnetv2p_{width}_{schedule}_coco')


@pytest.mark.parametrize('name', [*COCO, *ABLATIONS])
def test_the_readme_has_the_figures_of_the_index(name):
    listed = {str(figure) for result in index()[name].get('Results', []) for figure in result['Metrics'].values()}
    figures = set(re.findall(r'\b\d\d\.\d\b', readme_row(name)))
    assert listed <= figures
    # results on test-dev are not in the index
    assert listed or not figures or figures <= set(re.findall(r'test-dev (\d\d\.\d)', readme_row(name)))


@cache
def part(entry):
    """Build a backbone or neck on the meta device, once for all configs that have it."""
    with torch.device('meta'):
        return MODELS.build(literal_eval(entry))


@pytest.mark.parametrize('name', [*COCO, *SAMPLES])
def test_keys_are_the_official_ones(name):
    """Backbone and neck have the official state-dict keys in the official order."""
    cfg = load(name).model
    backbone, neck = (part(str(cfg[entry].to_dict())) for entry in ('backbone', 'neck'))
    official = part(str(dict(type='mmdet.HRNet', extra=upstream_extra(cfg.backbone.arch))))
    assert list(backbone.state_dict()) == list(official.state_dict())
    assert neck.in_channels == backbone.out_channels == arch_channels(cfg.backbone.arch)
    if cfg.neck.type == 'hrnet_plugin.HRFPN':
        official = list(part(str(dict(type='mmdet.HRFPN', in_channels=list(neck.in_channels), out_channels=256,
                                      num_outs=neck.num_outs))).state_dict())
        ours = [key for key in neck.state_dict() if '.bn.' not in key and '.gn.' not in key]
        if cfg.neck.get('norm_cfg') is not None:  # convolutions before a norm have no bias
            official = [key for key in official if not key.endswith('bias')]
        assert ours == official
    width = re.search(r'-(w\d+(?:-small-v\d)?)[-_]', name).group(1).replace('-', '_')
    assert cfg.backbone.arch == cfg.neck.arch == width


@pytest.mark.parametrize('name', [*COCO, *SAMPLES, *ABLATIONS])
def test_channel_order_learning_rate_and_checkpoint_match(name):
    cfg = load(name)
    preprocess = cfg.model.data_preprocessor
    rgb = [123.675, 116.28, 103.53]
    assert preprocess.bgr_to_rgb is ('-bgr_' not in name)
    assert preprocess.mean == (rgb if preprocess.bgr_to_rgb else rgb[::-1])
    assert set(cfg.auto_scale_lr) >= {'enable', 'base_batch_size'}
    assert cfg.auto_scale_lr.enable is False
    if name in SAMPLE:
        assert cfg.auto_scale_lr.base_batch_size == cfg.train_dataloader.batch_size == 4
    width = cfg.model.backbone.arch
    # mmengine's list of checkpoints ends at W48
    w64 = 'https://download.openmmlab.com/mmclassification/v0/hrnet/hrnet-w64_3rdparty_8xb32_in1k_20220120-19126642.pth'
    file = w64 if width == 'w64' else f'open-mmlab://msra/hrnetv2_{width}'
    start = dict(type='hrnet_plugin.Pretrained', checkpoint=file)
    assert cfg.model.backbone.init_cfg == (None if name in SAMPLE else start)
    if cfg.train_cfg.type == 'EpochBasedTrainLoop':
        ends = [entry.end for entry in cfg.param_scheduler if entry.get('by_epoch')]
        assert ends == [cfg.train_cfg.max_epochs]


def test_the_recipe_of_keypoint_triplets():
    """The recipe is that of arXiv 1904.08189, section 4.1, and of its authors' config."""
    for name in (name for name in COCO if name.startswith('centernet-triplet')):
        cfg = load(name)
        assert (cfg.train_dataloader.batch_size, cfg.auto_scale_lr.base_batch_size) == (6, 48)
        assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=0.00025)
        assert cfg.optim_wrapper.clip_grad is None
        assert cfg.train_cfg.max_iters == 480000
        decay, = cfg.param_scheduler
        assert (decay.type, decay.milestones, decay.gamma, decay.by_epoch) == ('MultiStepLR', [450000], 0.1, False)
        steps = {step.type: step for step in cfg.train_dataloader.dataset.pipeline}
        assert steps['RandomCenterCropPad'].crop_size == steps['Resize'].scale == (511, 511)
        test = cfg.model.test_cfg
        assert (test.corner_topk, test.center_topk, test.max_per_img) == (70, 70, 100)
        assert test.central_region == dict(scale=150, small=3, large=5)
        assert test.nms == dict(type='soft_nms', iou_threshold=0.5, method='gaussian')
        factors = [step.scale_factor for step in cfg.tta_pipeline[1].transforms[0]]
        assert factors == ([0.6, 1.0, 1.2, 1.5, 1.8] if 'mstest' in name else [1.0])


@pytest.mark.parametrize('name', [name for name in COCO if 'syncbn' in name])
def test_batch_norm_in_training_mode_is_synchronized(name):
    backbone = load(name).model.backbone
    assert (backbone.norm_cfg.type, backbone.norm_cfg.requires_grad, backbone.norm_eval) == ('SyncBN', True, False)

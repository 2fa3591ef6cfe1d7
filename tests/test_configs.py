"""Every shipped config: parses, builds, has its row in the index, and says how to run it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config

from hrnet_plugin.config_files import CONFIGS, list_configs
from hrnet_plugin.models.arch import arch_channels

pytest.importorskip('mmdet')
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

CONFIG_FILES = list_configs()


@pytest.fixture(autouse=True, scope='module')
def _in_mmdets_scope():
    register_all_modules(init_default_scope=True)


EXPECTED = {f'faster-rcnn_hrnetv2p-{w}_{s}_coco' for w in ('w18', 'w32', 'w40', 'w48') for s in ('1x', '2x')}


def index():
    """Name -> entry of all metafiles that the index imports."""
    top = yaml.safe_load((CONFIGS.parent / 'model-index.yml').read_text())
    entries = {}
    for file in top['Import']:
        metafile = yaml.safe_load((CONFIGS.parent / file).read_text())
        collections = {collection['Name'] for collection in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            assert model['Name'] not in entries
            entries[model['Name']] = model
    return entries


def test_the_published_configs_are_here():
    assert set(CONFIG_FILES) > EXPECTED


def test_index_and_configs_match_both_ways():
    trained_on_coco = {name for name in CONFIG_FILES if not name.endswith('_sample')}
    assert trained_on_coco == set(index())
    for name, entry in index().items():
        assert (CONFIGS.parent / entry['Config']).resolve() == CONFIG_FILES[name].resolve()
        assert name == name.lower()  # mim looks up lower case only
        if 'Weights' in entry:
            width, schedule = re.search(r'-(w\d+)_(\dx)_', name).groups()
            assert f'_{width}_{schedule}_' in entry['Weights']


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_config_says_how_to_run_it(name):
    assert f'mim train hrnet_plugin {name}.py' in CONFIG_FILES[name].read_text()


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_config_builds(name):
    cfg = Config.fromfile(str(CONFIG_FILES[name]))
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert type(model.backbone).__module__.startswith('hrnet_plugin.')
    assert type(model.neck).__module__.startswith('hrnet_plugin.')
    assert model.neck.in_channels == model.backbone.out_channels == arch_channels(cfg.model.backbone.arch)
    width = re.search(r'-(w\d+[a-z0-9-]*)_', name).group(1).replace('-', '_')
    assert cfg.model.backbone.arch == width


@pytest.mark.parametrize('name', sorted(EXPECTED))
def test_the_published_recipe(name):
    cfg = Config.fromfile(str(CONFIG_FILES[name]))
    width, schedule = re.search(r'-(w\d+)_(\dx)_', name).groups()
    epochs, steps = {'1x': (12, [8, 11]), '2x': (24, [16, 22])}[schedule]
    assert cfg.train_cfg.max_epochs == epochs
    assert cfg.param_scheduler[1].milestones == steps
    assert cfg.param_scheduler[1].end == epochs
    assert cfg.optim_wrapper.optimizer.to_dict() == dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001)
    assert cfg.model.backbone.init_cfg == dict(type='Pretrained', checkpoint=f'open-mmlab://msra/hrnetv2_{width}')
    assert cfg.model.data_preprocessor.bgr_to_rgb is True
    assert cfg.auto_scale_lr.base_batch_size == 16


@pytest.mark.parametrize('width', ['w18', 'w32', 'w40'])
@pytest.mark.parametrize('schedule', ['1x', '2x'])
def test_the_same_network_as_mmdets_own_config(width, schedule):
    """Released weights of mmdet load strictly, and everything but backbone and neck is the same."""
    import mmdet
    root = Path(mmdet.__file__).parent / '.mim' / 'configs' / 'hrnet'
    theirs, = (path for path in root.glob(f'faster-rcnn_hrnetv2p-{width}?{schedule}_coco.py'))
    ours = Config.fromfile(str(CONFIG_FILES[f'faster-rcnn_hrnetv2p-{width}_{schedule}_coco']))
    upstream = Config.fromfile(str(theirs))
    with torch.device('meta'):
        states = [MODELS.build(cfg.model).state_dict() for cfg in (ours, upstream)]
    ours, upstream = ours.to_dict(), upstream.to_dict()
    assert list(states[0]) == list(states[1])
    assert all(states[0][key].shape == states[1][key].shape for key in states[1])
    for cfg in (ours, upstream):
        del cfg['model']['backbone'], cfg['model']['neck']
        for part in (cfg['model'], cfg['optim_wrapper']):
            part.pop('_scope_', None)  # mmengine's mark of where an inherited entry came from
    assert ours['model'] == upstream['model']
    assert ours['optim_wrapper'] == upstream['optim_wrapper']
    assert ours['train_cfg']['max_epochs'] == upstream['train_cfg']['max_epochs']
    assert [s.get('milestones') for s in ours['param_scheduler']] == \
        [s.get('milestones') for s in upstream['param_scheduler']]

"""Comparison of the adapters with the installed hosts."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from paths import ROOT
from torch import nn

from hrnet_plugin.hosts import (
    HOSTS,
    MMDET,
    MMPOSE,
    config_image_channels,
    find_host,
    fixed_input_size,
    host_of_config,
    host_of_task,
    type_name,
)

HOOKS = dict(mmdet='DetVisualizationHook', mmpose='PoseVisualizationHook', mmseg='SegVisualizationHook',
             mmpretrain='VisualizationHook')


@pytest.fixture(params=HOSTS.values(), ids=HOSTS)
def host(request):
    pytest.importorskip(request.param.name)
    return request.param


def test_norm_eval_is_the_upstream_default(host):
    upstream = import_module(f'{host.name}.models.backbones.hrnet').HRNet
    assert inspect.signature(upstream).parameters['norm_eval'].default == host.network.norm_eval


def test_defaults_of_tasks():
    assert [name for name, host in HOSTS.items() if not host.network.multiscale_output] == ['mmpose']
    assert [name for name, host in HOSTS.items() if host.network.upsampling == 'bilinear'] == ['mmseg']
    assert [host.metrics[0].name for host in HOSTS.values()] == ['AP', 'AP', 'mIoU', 'top-1']


def test_the_visualization_hook_has_these_entries(host):
    hook = getattr(import_module(f'{host.name}.engine.hooks'), HOOKS[host.name])
    entries = {*host.drawing, *filter(None, [host.drawing_folder]), 'interval'}
    assert entries <= {*inspect.signature(hook).parameters}


def test_datasets_methods_and_dumps_are_types_of_the_host(host):
    import_module(f'{host.name}.utils').register_all_modules(init_default_scope=False)
    registry = import_module(f'{host.name}.registry')
    assert all(name in registry.DATASETS for name in host.datasets)
    assert all(name in registry.MODELS for name in host.methods if name != 'HRNetClassifier')
    assert registry.METRICS.get(host.result_dump) is not None


def test_keys_are_unique(host):
    keys = [(metric.key, metric.requires_key) for metric in host.metrics if metric.key]
    assert len(set(keys)) == len(keys)
    assert host_of_task(host.task) is host


def test_a_name_has_one_unit_and_direction(host):
    """Check that several evaluators with one name, such as PCKh, can share a column."""
    looks = {}
    for metric in host.metrics:
        looks.setdefault(metric.name, set()).add((metric.shown_unit, metric.direction, metric.decimals))
    assert [name for name, found in looks.items() if len(found) > 1] == []


def test_a_config_has_the_adapter_of_its_scope():
    assert host_of_config(Config(dict(default_scope='mmpose'))) is MMPOSE
    assert find_host('mmengine') is find_host(None) is None
    with pytest.raises(ValueError, match='must be one of mmdet, mmpose, mmseg, mmpretrain, got None'):
        host_of_config(Config(dict()))


def test_type_names():
    assert type_name('mmdet.FasterRCNN') == type_name('FasterRCNN') == 'FasterRCNN'
    assert type_name(nn.Module) == 'Module'


@pytest.mark.parametrize(('train_cfg', 'detector', 'other'), [
    (dict(max_epochs=12), '1x', '12e'), (dict(max_epochs=24), '2x', '24e'), (dict(max_epochs=20), '20e', '20e'),
    (dict(max_iters=120_000), '120k', '120k'), (dict(max_iters=1500), *['1500 iterations'] * 2),
    ({}, '', '')])
def test_schedules(train_cfg, detector, other):
    assert (MMDET.schedule(train_cfg), MMPOSE.schedule(train_cfg)) == (detector, other)


def test_coco_metrics_are_those_of_mmdet():
    theirs = type('CocoMetric', (), dict(proposal_nums=(1, )))()
    poses = type('CocoMetric', (), {})()
    evaluator = SimpleNamespace(metrics=[poses, theirs])
    assert MMDET.coco_metrics(evaluator) == [theirs]
    assert MMPOSE.coco_metrics(evaluator) == []


@pytest.mark.parametrize(('name', 'hook', 'folders'), [
    ('mmdet', dict(draw=True, test_out_dir='shown'), ['shown']), ('mmdet', dict(draw=True), ['vis_data/vis_image']),
    ('mmdet', dict(draw=False), []), ('mmpose', dict(enable=True, out_dir='shown'), ['shown']),
    ('mmseg', dict(draw=True), ['vis_data/vis_image']), ('mmpretrain', dict(enable=True), ['vis_data/vis_image']),
    ('mmpretrain', dict(enable=False), [])])
def test_folders_of_visualizations(name, hook, folders, tmp_path):
    config = Config(dict(default_hooks=dict(visualization=hook),
                         visualizer=dict(vis_backends=[dict(type='LocalVisBackend')])))
    assert HOSTS[name].visualization_folders(config, tmp_path) == [tmp_path / folder for folder in folders]
    HOSTS[name].enable_drawing(config, 'mine')
    found, = HOSTS[name].visualization_folders(config, tmp_path)
    assert found.name == 'mine'


def test_fixed_input_size():
    crops = Config(dict(model=dict(data_preprocessor=dict(size=(224, 192)))))
    assert fixed_input_size(crops) == HOSTS['mmseg'].input_size(crops) == (224, 192)
    assert MMPOSE.input_size(Config(dict(codec=dict(input_size=(192, 256)), model=dict()))) == (256, 192)
    assert MMDET.input_size(crops) is None


@pytest.mark.parametrize(('model', 'channels'), [
    (dict(backbone=dict(type='HRNet', in_channels=9)), 9), (dict(backbone=dict(type='ResNet', depth=50)), 3),
    (dict(type='hrnet_plugin.HRNetClassifier', arch='w18'), 3), (dict(backbone=None), 3),
    (dict(backbone=dict(in_channels=None)), 3),
    (dict(type='SoftTeacher', data_preprocessor=dict(std=[1]), detector=dict(backbone=dict(in_channels=4))), 4),
    (dict(type='SegTTAModel', module=dict(segmentor=dict(backbone=dict(in_channels=9)))), 9)])
def test_config_image_channels(model, channels):
    assert config_image_channels(model) == channels


def test_adapters_import_no_other_package():
    """``hrnet doctor`` reads the adapters in environments without numpy and torch."""
    done = subprocess.run([sys.executable, '-c', """if True:
        import sys
        sys.modules.update(dict.fromkeys(('numpy', 'torch', 'PIL', 'hrnet_plugin.results')))
        import hrnet_plugin.hosts
        print(*(name for name in sys.modules if name.startswith('mm')))"""],
        capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ''

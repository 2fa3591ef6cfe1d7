"""Comparison with mmdet's HRNet configs: the same networks, losses and schedules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.config_files import cfg

pytest.importorskip('mmdet')
import mmdet
from mmdet.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmdet_scope')

ROOT = Path(mmdet.__file__).parent / '.mim' / 'configs' / 'hrnet'
THEIRS = sorted(path.stem for path in ROOT.glob('*hrnetv2p*.py'))


def ours_for(theirs):
    """Return the name of the shipped config for a config of mmdet. mmdet trained FCOS on BGR images."""
    family, width, schedule = re.fullmatch(r'(.+)_hrnetv2p-(w\d+)[-_](?:gn-head_)?(\S+)_coco', theirs).groups()
    schedule = schedule.replace('4xb4-', '').replace('ms-640-800-', 'ms-')
    return f'{family}_hrnetv2p-{width}{"-bgr" if family == "fcos" else ""}_{schedule}_coco'


def test_all_of_them_are_compared():
    assert len(THEIRS) == 29


@pytest.mark.parametrize('theirs', THEIRS)
def test_the_same_network_and_schedule(theirs):
    """Released weights load strictly, and everything but backbone and neck is the same."""
    ours, upstream = Config.fromfile(cfg(ours_for(theirs))), Config.fromfile(str(ROOT / f'{theirs}.py'))
    with torch.device('meta'):
        states = [MODELS.build(config.model).state_dict() for config in (ours, upstream)]
    assert list(states[0]) == list(states[1])
    assert all(states[0][key].shape == states[1][key].shape for key in states[1])
    ours, upstream = _without_scope(ours.to_dict()), _without_scope(upstream.to_dict())
    for config in (ours, upstream):
        del config['model']['backbone'], config['model']['neck']
    assert ours['model'] == upstream['model']
    for entry in ('optim_wrapper', 'train_cfg', 'param_scheduler', 'val_evaluator', 'test_dataloader'):
        assert ours[entry] == upstream[entry], entry
    assert ours['train_dataloader']['dataset'] == upstream['train_dataloader']['dataset']
    # batch size: mmdet trained FCOS on four GPUs with four images each, others on eight with two
    assert ours['auto_scale_lr']['base_batch_size'] == 16 == upstream['auto_scale_lr']['base_batch_size']


def _without_scope(value):
    """Remove mmengine's marks of the origin of inherited entries."""
    if isinstance(value, dict):
        return {key: _without_scope(entry) for key, entry in value.items() if key != '_scope_'}
    return [_without_scope(entry) for entry in value] if isinstance(value, (list, tuple)) else value

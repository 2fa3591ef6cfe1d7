"""Configs and checkpoints of small models with many detections, for tests of predictions."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import cfg, find_config
from hrnet_plugin.experiments.benchmarking import random_weights

DETECTOR = 'mask-rcnn_hrnetv2p-w18-small-v1_sample'
POSE = 'td-hm_hrnetv1-w18-small-v1_sample'
SEGMENTOR = 'fcn_hrnetv2-w18-small-v1_sample'
# an untrained detector has low scores
CHANGES = {DETECTOR: 'model = dict(test_cfg=dict(rcnn=dict(score_thr=0., max_per_img=30)))'}


class ModelFiles:
    """Config and checkpoint of each model, written once to a folder."""

    def __init__(self, folder):
        self._folder, self._found = folder, {}

    def __call__(self, name):
        pytest.importorskip({DETECTOR: 'mmdet', POSE: 'mmpose', SEGMENTOR: 'mmseg'}[name])
        if name not in self._found:
            self._found[name] = write_model(self._folder, name)
        return self._found[name]


def write_model(folder, name, changes=None, seed=0):
    """Write a config that derives from a shipped one, and a checkpoint. Return their paths."""
    config = folder / f'{name}.py'
    changes = CHANGES.get(name, '') if changes is None else changes
    config.write_text(f'_base_ = [{str(cfg(name))!r}]\n{changes}\n')
    loaded = find_config(str(config))
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(loaded.default_scope):
        model = MODELS.build(loaded.model)
    random_weights(model)
    checkpoint = folder / f'{name}.pth'
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=dict(classes=('a', ), palette=[(0, 0, 0)]))),
               checkpoint)
    return str(config), str(checkpoint)

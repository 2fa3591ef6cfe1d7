"""Small sample set, configs of it, and models without weights."""

from __future__ import annotations

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config, relocate_data
from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.experiments.sample_set import write_sample_set

SAMPLE = dict(mmdet='faster-rcnn_hrnetv2p-w18-small-v1_sample', mmpose='td-hm_hrnetv1-w18-small-v1_sample',
              mmseg='fcn_hrnetv2-w18-small-v1_sample')


@pytest.fixture(scope='session')
def sample_root(tmp_path_factory):
    return write_sample_set(tmp_path_factory.mktemp('data') / 'sample', 8, 6, 160, 128)


@pytest.fixture
def sample_config(sample_root):
    """Return the sample config of a host for the small set, with entries changed."""
    def read(host: str, name: str = '', **changes) -> Config:
        pytest.importorskip(host)
        config = find_config(name or SAMPLE[host])
        config.merge_from_dict(relocate_data(config, str(sample_root)))
        config.merge_from_dict(changes)
        return config
    return read


@pytest.fixture
def errors_of():
    """Return the errors of a config's training and validation data."""
    def find(config: Config, *splits: str) -> list[str]:
        return check_datasets(config, build(config), splits or ('train', 'val')).errors
    return find


def build(config: Config) -> torch.nn.Module:
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        return MODELS.build(config.model)

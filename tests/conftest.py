"""What several tests need: upstream's way to describe a network, and weights that exercise every layer."""

from __future__ import annotations

import gc
import importlib.util
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, DefaultScope
from paths import ROOT
from torch import Tensor, nn

from hrnet_plugin.config_bases import cached_bases
from hrnet_plugin.config_files import find_config, relocate_data
from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.experiments.benchmarking import random_weights as randomize
from hrnet_plugin.experiments.benchmarking import upstream_extra  # noqa: F401  (tests take both from here)
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.models import HRFPN, HRNet
from hrnet_plugin.models.layers import MergeConv
from hrnet_plugin.tracing import is_tracing

# the same examples in each run, whatever the load of the machine
settings.register_profile('repeatable', derandomize=True, deadline=None, database=None)
settings.load_profile('repeatable')

# host -> config of the sample set
SAMPLE_CONFIGS = dict(mmdet='faster-rcnn_hrnetv2p-w18-small-v1_sample', mmpose='td-hm_hrnetv1-w18-small-v1_sample',
                      mmseg='fcn_hrnetv2-w18-small-v1_sample')


@pytest.fixture(scope='session', autouse=True)
def _bases_cached():
    """Many tests read configs with mmengine alone, as users of derived configs do."""
    with cached_bases():
        yield


def pytest_collection_finish():
    """Exclude the objects of imported modules from garbage collections, one of which mmengine runs per dataset."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _quiet_and_seeded():
    """mmengine logs a line for each parameter that it initialises: 1830 of them."""
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _default_scope_restored():
    """A Runner leaves its default scope behind, in which another test would look for names without a scope."""
    before = DefaultScope._instance_dict.copy()
    yield
    DefaultScope._instance_dict = before


@pytest.fixture
def eager_runs(monkeypatch):
    """Record the names of the classes that run eagerly, without traces."""
    runs = []

    def spying(original):
        def eager_forward(self, inputs):
            if not is_tracing():
                runs.append(type(self).__name__)
            return original(self, inputs)
        return eager_forward

    for cls in (HRNet, HRFPN, MergeConv):
        monkeypatch.setattr(cls, 'eager_forward', spying(cls.eager_forward))
    return runs


@pytest.fixture
def logged():
    """Return the warnings that are logged."""
    logger, lines = MMLogger.get_current_instance(), []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture(scope='module')
def mmdet_scope():
    """Names without a scope are mmdet's, in this module and not in those that follow it."""
    register_all_modules = pytest.importorskip('mmdet.utils').register_all_modules
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield


@pytest.fixture(scope='session')
def sample_root(tmp_path_factory):
    return write_sample_set(tmp_path_factory.mktemp('data') / 'sample', 8, 6, 160, 128)


@pytest.fixture
def sample_config(sample_root):
    """Return the sample config of a host for the small set, with entries changed."""
    def read(host: str, name: str = '', **changes) -> Config:
        pytest.importorskip(host)
        config = read_sample_config(name or SAMPLE_CONFIGS[host], sample_root)
        config.merge_from_dict(changes)
        return config
    return read


def read_sample_config(name: str, root: Path) -> Config:
    """Return a config of the sample set, for the set in a folder."""
    config = find_config(name)
    config.merge_from_dict(relocate_data(config, str(root)))
    return config


@pytest.fixture
def errors_of():
    """Return the errors of a config's training and validation data."""
    def find(config: Config, *splits: str) -> list[str]:
        return check_datasets(config, build_on_meta(config), splits or ('train', 'val')).errors
    return find


def build_on_meta(config: Config) -> nn.Module:
    """The model of a config, without weights."""
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        return MODELS.build(config.model)


def load_benchmark(name: str) -> Any:
    """A script of benchmarks/, as a module."""
    path = ROOT / 'benchmarks' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Random weights in both, loaded strictly."""
    ours.load_state_dict(randomize(theirs).state_dict(), strict=True)


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference over the largest value."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)).item()

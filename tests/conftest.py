"""What several tests need: upstream's way to describe a network, and weights that exercise every layer."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from paths import ROOT
from torch import Tensor, nn

from hrnet_plugin.experiments.benchmarking import random_weights as randomize
from hrnet_plugin.experiments.benchmarking import upstream_extra  # noqa: F401  (tests take both from here)
from hrnet_plugin.models import HRFPN, HRNet
from hrnet_plugin.models.layers import MergeConv
from hrnet_plugin.tracing import is_tracing


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


def load_benchmark(name: str) -> Any:
    """A script of benchmarks/, as a module."""
    path = ROOT / 'benchmarks' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def same_weights(ours: nn.Module, theirs: nn.Module) -> None:
    """Random weights in both, loaded strictly."""
    ours.load_state_dict(randomize(theirs).state_dict(), strict=True)


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference over the largest value."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30)).item()

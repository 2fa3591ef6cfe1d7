"""Gradients of the shipped configs, and the time of their exchange."""

from __future__ import annotations

import importlib

import pytest
from catalogue import host
from conftest import build_on_meta
from paths import ROOT

from hrnet_plugin.config_files import find_config


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('tables_cluster')


@pytest.mark.slow
def test_the_parameters_are_those_of_the_models(script):
    for config, expected in script.PARAMETERS.items():
        pytest.importorskip(host(config))
        model = build_on_meta(find_config(config))
        assert sum(one.numel() for one in model.parameters() if one.requires_grad) == expected, config


@pytest.mark.parametrize('nodes', [2, 4, 8])
def test_the_time_is_that_of_the_chunks_of_a_ring(script, nodes):
    """Each node sends a chunk of 1 / nodes of the data in each of nodes - 1 steps: once to sum, once to distribute."""
    size, rate = 2 ** 24, 10
    steps = 2 * (nodes - 1)
    assert script.all_reduce_seconds(size, nodes, rate) == pytest.approx(steps * (size / nodes) * 8 / (rate * 1e9))

"""Graph modules whose source is freed with them."""

from __future__ import annotations

import gc
import linecache
import traceback

import pytest
import torch
from torch import fx, nn

from hrnet_plugin.execution import optimize_for_inference, restore_eager
from hrnet_plugin.execution.graph_module import make_graph_module
from hrnet_plugin.models import HRNet


def reshaping_module():
    graph = fx.Graph()
    graph.output(graph.call_method('view', (graph.placeholder('x'), 7)))
    return make_graph_module({}, graph)


def test_a_traceback_shows_the_source_of_a_living_module():
    module = reshaping_module()
    with pytest.raises(RuntimeError) as error:
        module.forward(torch.zeros(3))
    assert any('view(7)' in frame.line for frame in traceback.extract_tb(error.tb))


def test_the_source_is_freed_with_the_module():
    module = reshaping_module()
    filename = module.forward.__code__.co_filename
    assert 'view(7)' in linecache.getline(filename, 4) + linecache.getline(filename, 5)
    del module
    gc.collect()
    assert filename not in linecache.cache
    assert linecache.getlines(filename) == []


@pytest.mark.parametrize('engine', ['torch', 'onnxruntime', 'openvino'])
def test_compiling_again_leaves_no_sources(engine, tmp_path, monkeypatch):
    if engine != 'torch':
        pytest.importorskip(engine)
    monkeypatch.setenv('HRNET_PLUGIN_CACHE', str(tmp_path))
    model, x = nn.Sequential(HRNet('w18_small_v1')).eval(), torch.zeros(1, 3, 32, 32)

    def count_sources():
        gc.collect()
        return len(linecache.cache)

    counts = []
    for _ in range(3):
        with torch.no_grad():
            optimize_for_inference(model, engine)(x)
        restore_eager(model)
        counts.append(count_sources())
    assert counts[0] == counts[-1]


def test_a_version_of_torch_without_the_private_cache(monkeypatch):
    module = reshaping_module()
    filename = module.forward.__code__.co_filename
    linecache.getline(filename, 4)
    monkeypatch.delattr('torch.fx.graph_module._loader')
    del module
    gc.collect()
    assert filename not in linecache.cache

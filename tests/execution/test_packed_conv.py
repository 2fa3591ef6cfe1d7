"""Packed convolutions: same outputs as the modules, in-place residuals, few copies of the weights."""

from __future__ import annotations

import weakref
from dataclasses import replace

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.execution import packed_conv as module
from hrnet_plugin.execution.folding import fold
from hrnet_plugin.execution.memory_format import to_channels_last
from hrnet_plugin.execution.packed_conv import ConvWeights, OneDnnConv, PackedConv, packed_conv_class

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available() or not module.onednn_fuses(),
                                  reason='this build of torch has no oneDNN with fused operators')
KINDS = [PackedConv, pytest.param(OneDnnConv, marks=needs_onednn)]


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('relu', [False, True])
@pytest.mark.parametrize('options', [
    dict(kernel_size=3, padding=1), dict(kernel_size=1, bias=False), dict(kernel_size=3, stride=2, padding=1),
    dict(kernel_size=3, padding=2, dilation=2, groups=2)])
@torch.no_grad()
def test_convolution_norm_sum_and_relu(kind, relu, options):
    conv, norm = randomize(nn.Conv2d(18, 36, **options)), randomize(nn.BatchNorm2d(36)).eval()
    weight, bias = fold(conv.weight, conv.bias, norm)
    packed = kind(replace(ConvWeights.of(conv), weight=weight, bias=bias), torch.float32)
    for size in ((1, 18, 5, 7), (2, 18, 33, 20), (3, 18, 1, 1)):
        x = to_channels_last(torch.randn(size))
        expected = norm(conv(x))
        total = to_channels_last(torch.randn_like(expected))
        added = expected + total
        assert relative_error(packed(x, relu=relu), expected.relu() if relu else expected) < 1e-5
        out = packed(x, total, relu)
        assert out.data_ptr() == total.data_ptr()
        assert relative_error(total, added.relu() if relu else added) < 1e-5


@pytest.mark.parametrize('kind', KINDS)
@torch.no_grad()
def test_residual_that_is_broadcast(kind):
    """Residuals after global pooling are broadcast."""
    conv = randomize(nn.Conv2d(3, 8, 3, padding=1))
    packed, x, residual = kind(ConvWeights.of(conv), torch.float32), torch.randn(2, 3, 9, 7), torch.randn(2, 8, 1, 1)
    expected = (conv(x) + residual).relu()
    assert relative_error(packed(to_channels_last(x), to_channels_last(residual), relu=True), expected) < 1e-5


@needs_onednn
@torch.no_grad()
def test_many_shapes_share_few_copies(monkeypatch):
    conv, copies = nn.Conv2d(18, 18, 3, padding=1), []
    reorder = torch._C._nn.mkldnn_reorder_conv2d_weight

    def recorded(*args):
        weight = reorder(*args)
        copies.append(weakref.ref(weight))
        return weight

    monkeypatch.setattr(torch._C._nn, 'mkldnn_reorder_conv2d_weight', recorded)
    packed = OneDnnConv(ConvWeights.of(conv), torch.float32)
    for k in range(40):
        x = to_channels_last(torch.randn(1, 18, 8 + k, 9 + 3 * k))
        for _ in range(2):
            assert relative_error(packed(x), conv(x)) < 1e-5
    assert len(copies) == 40  # once per shape
    assert sum(copy() is not None for copy in copies) <= 8


def test_other_devices_precisions_and_builds(monkeypatch):
    assert packed_conv_class(torch.device('cuda'), torch.float32) is PackedConv
    assert packed_conv_class(torch.device('cpu'), torch.float64) is PackedConv
    with torch.backends.mkldnn.flags(enabled=False):
        assert packed_conv_class(torch.device('cpu'), torch.float32) is PackedConv


@pytest.mark.parametrize('broken', ['raises', 'lies'])
def test_changed_private_operators(monkeypatch, broken):
    """If private operators of torch change, public ones are used."""
    def call(self, x, residual=None, relu=False):
        if broken == 'raises':
            raise RuntimeError('expected 9 arguments')
        return torch.zeros(1, 8, 9, 9)

    monkeypatch.setattr(OneDnnConv, '__call__', call)
    module.onednn_fuses.cache_clear()
    assert not module.onednn_fuses()
    assert packed_conv_class(torch.device('cpu'), torch.float32) is PackedConv
    module.onednn_fuses.cache_clear()

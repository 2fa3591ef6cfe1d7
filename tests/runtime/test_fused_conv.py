"""Prepared convolutions: the function of the modules, sums in place, and as many copies of weights as are needed."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.models.layers.memory_format import channels_last
from hrnet_plugin.runtime import fused_conv as module
from hrnet_plugin.runtime.fused_conv import FusedConv, Kernel, NoFastForm, OneDnnConv, fused_conv

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available() or not module.onednn_fuses(),
                                  reason='this build of torch has no oneDNN with fused operators')
KINDS = [FusedConv, pytest.param(OneDnnConv, marks=needs_onednn)]


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('relu', [False, True])
@pytest.mark.parametrize('options', [
    dict(kernel_size=3, padding=1), dict(kernel_size=1, bias=False), dict(kernel_size=3, stride=2, padding=1),
    dict(kernel_size=3, padding=2, dilation=2, groups=2)])
@torch.no_grad()
def test_convolution_norm_sum_and_relu(kind, relu, options):
    conv, norm = randomize(nn.Conv2d(18, 36, **options)), randomize(nn.BatchNorm2d(36)).eval()
    fused = kind(Kernel.of(conv, norm), torch.float32)
    for size in ((1, 18, 5, 7), (2, 18, 33, 20), (3, 18, 1, 1)):
        x = channels_last(torch.randn(size))
        expected = norm(conv(x))
        total = channels_last(torch.randn_like(expected))
        added = expected + total
        assert relative_error(fused(x, relu), expected.relu() if relu else expected) < 1e-5
        out = fused.add_to(total, x, relu)
        assert out.data_ptr() == total.data_ptr()
        assert relative_error(total, added.relu() if relu else added) < 1e-5


@torch.no_grad()
def test_some_input_channels():
    conv = nn.Conv2d(10, 4, 1)
    kernel = Kernel.of(conv)
    x = torch.randn(1, 10, 6, 6)
    first, second = (FusedConv(kernel.of_inputs(*part), torch.float32) for part in ((0, 7, True), (7, 10, False)))
    assert relative_error(first(x[:, :7]) + second(x[:, 7:]), conv(x)) < 1e-5


@pytest.mark.parametrize(('conv', 'norm'), [
    (nn.Conv2d(4, 4, 3, padding=1, padding_mode='reflect'), None), (nn.Linear(4, 4), None),
    (nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)), (nn.Conv2d(4, 4, 3), nn.InstanceNorm2d(4))])
def test_what_has_no_fast_form(conv, norm):
    with pytest.raises(NoFastForm, match='have to be'):
        Kernel.of(conv, norm)


@needs_onednn
@torch.no_grad()
def test_copies_of_weights_are_shared_and_bounded(monkeypatch):
    conv = nn.Conv2d(18, 18, 3, padding=1)
    fused = OneDnnConv(Kernel.of(conv), torch.float32)
    for k in range(20):
        fused(channels_last(torch.randn(1, 18, 8 + k, 9 + 3 * k)))
    assert len(fused._of_shape) == 20
    assert len(fused._of_order) < 4
    monkeypatch.setattr(module, '_SHAPES', 4)
    for k in range(10):
        fused(channels_last(torch.randn(1, 18, 8, 9 + k)))
    assert len(fused._of_shape) <= 4
    # as where torch does not tell the order
    monkeypatch.setattr(module, '_order', lambda weight, shape: shape)
    fused = OneDnnConv(Kernel.of(conv), torch.float32)
    for k in range(20):
        x = channels_last(torch.randn(1, 18, 8 + k, 9))
        assert relative_error(fused(x), conv(x)) < 1e-5
        assert len(fused._of_order) <= module._ORDERS
        assert len(fused._of_shape) <= module._ORDERS


def test_other_devices_precisions_and_builds(monkeypatch):
    assert fused_conv(torch.device('cuda'), torch.float32) is FusedConv
    assert fused_conv(torch.device('cpu'), torch.float64) is FusedConv
    with torch.backends.mkldnn.flags(enabled=False):
        assert fused_conv(torch.device('cpu'), torch.float32) is FusedConv


@pytest.mark.parametrize('broken', ['raises', 'lies'])
def test_operators_that_are_not_what_they_were(monkeypatch, broken):
    """They are no part of torch's public interface: where they changed, the public ones do."""
    def call(self, x, relu=False):
        if broken == 'raises':
            raise RuntimeError('expected 9 arguments')
        return torch.zeros(1, 8, 9, 9)

    monkeypatch.setattr(OneDnnConv, '__call__', call)
    module.onednn_fuses.cache_clear()
    assert not module.onednn_fuses()
    assert fused_conv(torch.device('cpu'), torch.float32) is FusedConv
    module.onednn_fuses.cache_clear()

"""Conversions of memory formats."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.execution.memory_format import prefers_channels_last, to_channels_last, to_contiguous


@pytest.mark.parametrize('shape', [(2, 5, 40, 50), (1, 1, 7, 9), (3, 4, 1, 1), (0, 4, 6, 6), (1, 3, 33, 32)])
@pytest.mark.parametrize('grad', [False, True])
def test_to_contiguous(shape, grad):
    x = torch.randn(shape)
    with torch.set_grad_enabled(grad):
        again = to_contiguous(to_channels_last(x))
    assert again.is_contiguous()
    assert torch.equal(again, x)
    assert to_contiguous(x) is x


def test_other_strides_are_accepted():
    x = torch.randn(2, 3, 8, 10)[..., ::2]
    with torch.no_grad():
        assert torch.equal(to_contiguous(x), x)


def test_preferred_memory_format():
    x = torch.randn(1, 3, 8, 8)
    assert not prefers_channels_last(x)  # gradients are enabled
    with torch.no_grad():
        assert prefers_channels_last(x)
        assert not prefers_channels_last(to_channels_last(x))
        with torch.backends.mkldnn.flags(enabled=False):
            assert not prefers_channels_last(x)

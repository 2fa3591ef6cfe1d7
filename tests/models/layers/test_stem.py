"""Stem: output shapes and layer names."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models.layers import LayerConfig, Stem


@pytest.mark.parametrize(('size', 'expected'), [((64, 32), (16, 8)), ((65, 31), (17, 8)), ((1, 1), (1, 1))])
@pytest.mark.parametrize('in_channels', [1, 3, 4])
def test_shapes(size, expected, in_channels):
    stem = Stem()
    stem.build_stem(in_channels, LayerConfig())
    out = stem.eval().stem(torch.randn(2, in_channels, *size))
    assert out.shape == (2, 64, *expected)
    assert (out >= 0).all()
    assert list(dict(stem.named_children())) == ['conv1', 'bn1', 'conv2', 'bn2', 'relu']

"""Corner and center pooling against a reference."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads.pooling import CascadeCornerPooling, CenterPooling
from hrnet_plugin.models.layers.conv import LayerConfig


def reference_pool(x, direction):
    """Compute the maximum from each pixel downwards for 'top', to the right for 'left', and vice versa."""
    out = torch.empty_like(x)
    height, width = x.shape[2:]
    for i in range(height):
        for j in range(width):
            part = dict(top=x[:, :, i:, j], bottom=x[:, :, :i + 1, j], left=x[:, :, i, j:],
                        right=x[:, :, i, :j + 1])[direction]
            out[:, :, i, j] = part.max(-1).values
    return out


@pytest.fixture
def features():
    return torch.randn(2, 6, 9, 11)


@pytest.mark.parametrize('directions', [('top', 'left'), ('bottom', 'right')])
def test_cascade_corner_pooling(directions, features):
    pooling = CascadeCornerPooling(6, 4, LayerConfig(), directions).eval()
    first, second = directions
    with torch.no_grad():
        one = pooling.first_border(pooling.first(features) + reference_pool(pooling.first_inside(features), second))
        two = pooling.second_border(pooling.second(features) + reference_pool(pooling.second_inside(features), first))
        torch.testing.assert_close(pooling.pool(features), reference_pool(one, first) + reference_pool(two, second))


def test_center_pooling(features):
    pooling = CenterPooling(6, 4, LayerConfig()).eval()
    with torch.no_grad():
        column = reference_pool(reference_pool(pooling.first(features), 'top'), 'bottom')
        row = reference_pool(reference_pool(pooling.second(features), 'left'), 'right')
        torch.testing.assert_close(pooling.pool(features), column + row)


@pytest.mark.parametrize('make', [lambda: CascadeCornerPooling(6, 4, LayerConfig(), ('top', 'left')),
                                  lambda: CenterPooling(6, 4, LayerConfig())])
def test_forward(make, features):
    pooling = make().eval()
    with torch.no_grad():
        total = pooling.merge(pooling.pool(features)) + pooling.shortcut(features)
        torch.testing.assert_close(pooling(features), pooling.mix(total.relu()))


def test_all_parameters_receive_gradients(features):
    for pooling in (CascadeCornerPooling(6, 4, LayerConfig(), ('top', 'left')), CenterPooling(6, 4, LayerConfig())):
        pooling(features).square().sum().backward()
        assert all(weight.grad.any() for weight in pooling.parameters())

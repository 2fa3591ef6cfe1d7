"""Corner and centre pooling against loops over pixels."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads.pooling import CascadeCornerPooling, CenterPooling
from hrnet_plugin.models.layers.conv import LayerConfig


def slow_pool(x, direction):
    """The largest value from each pixel on: downwards for 'top', to the right for 'left', and the reverse."""
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
def test_corners_look_along_the_border_and_from_there_inwards(directions, features):
    pooling = CascadeCornerPooling(6, 4, LayerConfig(), directions).eval()
    first, second = directions
    with torch.no_grad():
        one = pooling.first_border(pooling.first(features) + slow_pool(pooling.first_inside(features), second))
        two = pooling.second_border(pooling.second(features) + slow_pool(pooling.second_inside(features), first))
        torch.testing.assert_close(pooling.pooled(features), slow_pool(one, first) + slow_pool(two, second))


def test_centres_see_their_whole_row_and_column(features):
    pooling = CenterPooling(6, 4, LayerConfig()).eval()
    with torch.no_grad():
        column = slow_pool(slow_pool(pooling.first(features), 'top'), 'bottom')
        row = slow_pool(slow_pool(pooling.second(features), 'left'), 'right')
        torch.testing.assert_close(pooling.pooled(features), column + row)


@pytest.mark.parametrize('make', [lambda: CascadeCornerPooling(6, 4, LayerConfig(), ('top', 'left')),
                                  lambda: CenterPooling(6, 4, LayerConfig())])
def test_input_and_pooled_maps_are_added_and_mixed(make, features):
    pooling = make().eval()
    with torch.no_grad():
        total = pooling.merge(pooling.pooled(features)) + pooling.shortcut(features)
        torch.testing.assert_close(pooling(features), pooling.mix(total.relu()))


def test_every_weight_learns(features):
    for pooling in (CascadeCornerPooling(6, 4, LayerConfig(), ('top', 'left')), CenterPooling(6, 4, LayerConfig())):
        pooling(features).square().sum().backward()
        assert all(weight.grad.any() for weight in pooling.parameters())

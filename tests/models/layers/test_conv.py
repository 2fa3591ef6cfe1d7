"""Convolutions and norms built from a LayerConfig."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.models.layers import LayerConfig, conv_norm
from hrnet_plugin.models.layers.conv import is_plain_cfg


@pytest.mark.parametrize(('kernel_size', 'stride', 'size'), [(1, 1, (7, 9)), (3, 1, (7, 9)), (3, 2, (4, 5))])
def test_size_is_kept_or_halved(kernel_size, stride, size):
    layer = conv_norm(LayerConfig(), 3, 4, kernel_size, stride, relu=True)
    out = layer(torch.randn(2, 3, 7, 9))
    assert out.shape == (2, 4, *size)
    assert (out >= 0).all()
    assert layer[0].bias is None


@pytest.mark.parametrize(('norm_cfg', 'name', 'kind'), [
    (dict(type='BN', eps=0.1), 'bn2', nn.BatchNorm2d), (dict(type='GN', num_groups=2), 'gn2', nn.GroupNorm)])
def test_norm_name_depends_on_its_type(norm_cfg, name, kind):
    layers = LayerConfig(norm_cfg=norm_cfg)
    got, norm = layers.norm(4, 2)
    assert (got, type(norm)) == (name, kind)
    assert norm.eps == norm_cfg.get('eps', 1e-5)
    assert layers.norm_cfg == norm_cfg  # mmcv removes the type from its argument


def test_plain_convolutions():
    assert is_plain_cfg(None)
    assert is_plain_cfg(dict(type='Conv2d'))
    assert not is_plain_cfg(dict(type='ConvWS'))


def test_modules_are_called_in_order():
    layer, seen = conv_norm(LayerConfig(), 3, 4, 3, relu=True), []
    for part in layer:
        part.register_forward_hook(lambda module, *_: seen.append(type(module)))
    layer(torch.randn(1, 3, 5, 5))
    assert seen == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]

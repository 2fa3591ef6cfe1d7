"""Fusion units against the formula of the paper, at even and odd sizes."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from torch.nn import functional as F

from hrnet_plugin.models.layers import FusionConfig, LayerConfig, MultiResolutionFusion, Upsampling
from hrnet_plugin.models.layers.fusion import BilinearDownsampling, NoFusion, is_fused

CHANNELS = (4, 6, 8, 10)


def feature_maps(size):
    feats = []
    for width in CHANNELS:
        feats.append(torch.randn(2, width, *size, dtype=torch.double))
        size = tuple(-(-length // 2) for length in size)
    return feats


def upsampled(x, size, steps, upsampling):
    if upsampling.mode == 'bilinear':
        return F.interpolate(x, size=size, mode='bilinear', align_corners=upsampling.align_corners)
    rows, columns = (torch.arange(length) // 2**steps for length in size)
    return x[:, :, rows][..., columns]


@pytest.mark.parametrize('operator', ['sum', 'product'])
@pytest.mark.parametrize('downsampling', ['strided', 'bilinear'])
@pytest.mark.parametrize('upsampling', [Upsampling(), Upsampling('bilinear'), Upsampling('bilinear', True)], ids=str)
@pytest.mark.parametrize('size', [(16, 24), (21, 13)])
def test_against_the_formula(operator, downsampling, upsampling, size):
    config = FusionConfig(upsampling, operator, downsampling)
    unit = randomize(MultiResolutionFusion(CHANNELS, range(4), config, LayerConfig())).double().eval()
    feats = feature_maps(size)
    kept = [x.clone() for x in feats]
    for i, (row, out) in enumerate(zip(unit, unit(feats))):
        terms = [row[j](x) if j <= i else upsampled(row[j](x), feats[i].shape[-2:], j - i, upsampling)
                 for j, x in enumerate(feats)]
        expected = torch.stack(terms).sum(0) if operator == 'sum' else torch.stack(terms).prod(0)
        assert relative_error(out, expected) < 1e-12
        assert out.is_contiguous()
    assert all(torch.equal(a, b) for a, b in zip(feats, kept))


def test_unused_rows_are_not_built():
    unit = MultiResolutionFusion(CHANNELS, (0, ), FusionConfig(Upsampling()), LayerConfig())
    assert len(unit) == 1
    assert [tuple(x.shape) for x in unit([x.float() for x in feature_maps((16, 16))])] == [(2, 4, 16, 16)]
    unit = MultiResolutionFusion(CHANNELS, (1, 3), FusionConfig(Upsampling()), LayerConfig())
    assert {key.split('.')[0] for key in unit.state_dict()} == {'1', '3'}
    assert len(unit([x.float() for x in feature_maps((16, 16))])) == 2


@pytest.mark.parametrize(('fused', 'expected'), [
    ('all', [True] * 4), ('across-stage', [False, True, False, True]), ('final', [False, False, False, True])])
def test_which_modules_are_fused(fused, expected):
    places = [(False, False), (True, False), (False, True), (True, True)]
    assert [is_fused(fused, *place) for place in places] == expected


def test_downsampling_rounds_up():
    assert BilinearDownsampling(2)(torch.randn(1, 3, 21, 13)).shape == (1, 3, 6, 4)


def test_invalid_options():
    with pytest.raises(ValueError, match='fusion_operator'):
        FusionConfig(Upsampling(), 'mean')
    with pytest.raises(ValueError, match='downsample'):
        FusionConfig(Upsampling(), 'sum', 'max')


def test_no_fusion_returns_its_input():
    feats = [torch.randn(1, 2, 3, 3)]
    assert NoFusion()(feats) is feats

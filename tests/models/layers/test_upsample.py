"""Interpolation modes, and exactness of nearest upsampling."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models.layers import Upsampling
from hrnet_plugin.models.layers.upsample import upsample_nearest_2x


@pytest.mark.parametrize('length', [*range(1, 130), 511, 1023, 2047, 4095, 4999])
def test_nearest_copies_every_pixel_twice(length):
    x = torch.arange((length + 1) // 2, dtype=torch.float)[None, None, None]
    assert torch.equal(upsample_nearest_2x(x, (1, length))[0, 0, 0], (torch.arange(length) // 2).float())


@pytest.mark.parametrize(('cfg', 'expected'), [
    (None, Upsampling()), ('bilinear', Upsampling('bilinear')),
    (dict(mode='nearest', align_corners=None), Upsampling()),
    (dict(mode='bilinear', align_corners=True), Upsampling('bilinear', True))])
def test_parse(cfg, expected):
    assert Upsampling.parse(cfg) == expected
    assert Upsampling.parse(expected.cfg) == expected


@pytest.mark.parametrize(('cfg', 'error', 'words'), [
    (3, TypeError, 'mapping'), ('cubic', ValueError, 'mode'), (dict(align_corners=True), ValueError, "key 'mode'"),
    (dict(mode='nearest', align_corners=True), ValueError, 'align_corners'),
    (dict(mode='bilinear', scale=2), ValueError, 'key of upsample'), (dict(mode='bilinear', align_corners=1), TypeError,
                                                                      'True or False')])
def test_invalid_configs(cfg, error, words):
    with pytest.raises(error, match=words):
        Upsampling.parse(cfg)


def test_text():
    texts = [Upsampling().text, Upsampling('bilinear').text, Upsampling('bilinear', True).text]
    assert texts == ['nearest', 'bilinear', 'bilinear, align_corners']

"""MergeConv against a convolution of the concatenation."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from torch.nn import functional as F

from hrnet_plugin.models.layers import MergeConv

WIDTHS = (4, 8, 16)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('gradients', [False, True])
@pytest.mark.parametrize('options', [dict(), dict(conv_cfg=dict(type='ConvWS')),
                                     dict(norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU'))], ids=str)
def test_equals_convolution_of_the_concatenation(align_corners, gradients, options):
    merge = randomize(MergeConv(WIDTHS, 10, align_corners, **options)).double().eval()
    feats = [torch.randn(2, width, -(-21 // 2**b), -(-30 // 2**b), dtype=torch.double)
             for b, width in enumerate(WIDTHS)]
    joint = torch.cat([F.interpolate(x, size=(21, 30), mode='bilinear', align_corners=align_corners) for x in feats], 1)
    expected = merge.conv(joint)
    if options.get('norm_cfg'):
        expected = merge.norm(expected).relu()
    with torch.set_grad_enabled(gradients):
        assert relative_error(merge(feats), expected) < 1e-10


def test_configs_are_not_modified():
    norm_cfg = dict(type='BN')
    MergeConv(WIDTHS, 10, norm_cfg=norm_cfg)
    assert norm_cfg == dict(type='BN')

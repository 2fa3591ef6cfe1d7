"""HRNetV2: outputs, options and errors."""

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn
from torch.nn import functional as F

from hrnet_plugin.models import HRNetV2

CHANNELS = (8, 16, 24, 32)


def maps(height=16, width=12):
    return [torch.rand(2, c, -(-height // 2**b), -(-width // 2**b), dtype=torch.double)
            for b, c in enumerate(CHANNELS)]


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(
    'options', [dict(), dict(norm_cfg=None), dict(act_cfg=None), dict(conv_cfg=dict(type='ConvWS'))], ids=str)
@pytest.mark.parametrize('size', [(16, 12), (17, 13)])
def test_equals_concatenating_and_convolving(align_corners, options, size):
    neck = randomize(HRNetV2(CHANNELS, 20, align_corners=align_corners, **options).double()).eval()
    feats = maps(*size)
    merged = torch.cat([F.interpolate(x, feats[0].shape[-2:], mode='bilinear', align_corners=align_corners)
                        for x in feats], 1)
    expected = neck.merge_conv.conv(merged)
    if options.get('norm_cfg', True):
        expected = neck.merge_conv.norm(expected)
    if options.get('act_cfg', True):
        expected = expected.relu()
    out = neck(feats)
    assert isinstance(out, tuple)
    assert len(out) == 1
    assert relative_error(out[0], expected) < 1e-12
    assert out[0].is_contiguous()


def test_defaults_are_the_papers():
    neck = HRNetV2(arch='w18')
    assert neck.out_channels == 270
    assert isinstance(neck.merge_conv.norm, nn.BatchNorm2d)
    assert isinstance(neck.merge_conv.activate, nn.ReLU)


@pytest.mark.parametrize(('options', 'error', 'words'), [
    (dict(), ValueError, 'in_channels or arch must be given, got neither'),
    (dict(arch='w18', out_channels=0), ValueError, 'out_channels must be between 1 and 1048576, got 0'),
    (dict(arch='w18', align_corners=1), TypeError, 'align_corners must be True or False, got 1'),
    (dict(arch='w18', act_cfg='ReLU'), TypeError, "act_cfg must be a mapping .* got 'ReLU'"),
])
def test_bad_options(options, error, words):
    with pytest.raises(error, match=words):
        HRNetV2(**options)


def test_bad_feature_maps():
    with pytest.raises(ValueError, match='inputs must have 4 feature maps'):
        HRNetV2(CHANNELS)(maps()[:2])

"""Parity with the upstream classes: keys, outputs, gradients, statistics and initial weights."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error, same_weights, upstream_extra

from hrnet_plugin.arch import ARCHS, arch_channels
from hrnet_plugin.models import HRFPN, HRNet

mmdet_backbones = pytest.importorskip('mmdet.models.backbones')
mmdet_necks = pytest.importorskip('mmdet.models.necks')

SMALL = 'w18_small_v1'


def theirs(arch, **options):
    return mmdet_backbones.HRNet(upstream_extra(arch), **options)


@pytest.mark.parametrize('multiscale_output', [True, False])
@pytest.mark.parametrize('arch', ARCHS)
def test_keys_order_and_shapes_of_the_state_dict(arch, multiscale_output):
    with torch.device('meta'):
        ours = HRNet(arch, multiscale_output=multiscale_output).state_dict()
        upstream = theirs(arch, multiscale_output=multiscale_output).state_dict()
    assert list(ours) == list(upstream)
    assert all(ours[key].shape == upstream[key].shape for key in upstream)


@pytest.mark.parametrize('options', [dict(), dict(num_outs=6), dict(num_outs=1)], ids=str)
def test_keys_order_and_shapes_of_the_neck_state_dict(options):
    ours, upstream = (neck([18, 36, 72, 144], 256, **options).state_dict() for neck in (HRFPN, mmdet_necks.HRFPN))
    assert list(ours) == list(upstream)
    assert all(ours[key].shape == upstream[key].shape for key in upstream)


@pytest.mark.parametrize('arch', ['w18_small_v1', 'w18_small_v2', 'w18', 'w32'])
@torch.no_grad()
def test_outputs_of_backbone_and_neck(arch):
    ours, upstream = HRNet(arch), theirs(arch)
    same_weights(ours, upstream)
    ours.eval()
    upstream.eval()  # returns None upstream
    x = torch.randn(1, 3, 96, 128)
    feats, expected = ours(x), upstream(x)
    for a, b in zip(feats, expected):
        assert relative_error(a, b) < 1e-5
    channels = list(arch_channels(arch))
    for options in (dict(), dict(pooling_type='MAX'), dict(stride=2)):
        neck, upstream_neck = HRFPN(channels, 32, **options), mmdet_necks.HRFPN(channels, 32, **options)
        same_weights(neck, upstream_neck)
        for a, b in zip(neck(feats), upstream_neck(expected)):
            assert relative_error(a, b) < 1e-5


@pytest.mark.parametrize(('host', 'outputs'), [('mmpose', 1), ('mmseg', 4)])  # mmsegmentation uses bilinear upsampling
@torch.no_grad()
def test_outputs_equal_the_other_hosts(host, outputs):
    backbones = pytest.importorskip(f'{host}.models.backbones')
    ours, upstream = HRNet(SMALL, host=host), backbones.HRNet(upstream_extra(SMALL))
    same_weights(ours, upstream)
    ours.eval()
    upstream.eval()
    x = torch.randn(1, 3, 64, 96)
    feats, expected = ours(x), upstream(x)
    assert len(feats) == len(expected) == outputs
    for a, b in zip(feats, expected):
        assert relative_error(a, b) < 1e-5


@pytest.mark.parametrize('norm_eval', [False, True])
def test_training_step_in_double_precision(norm_eval):
    pairs = [
        (HRNet(SMALL, norm_eval=norm_eval).double(), theirs(SMALL, norm_eval=norm_eval).double()),
        (HRFPN([16, 32, 64, 128], 8).double(), mmdet_necks.HRFPN([16, 32, 64, 128], 8).double()),
    ]
    x = torch.randn(2, 3, 64, 96, dtype=torch.double)
    outs = [x, x]
    for ours, upstream in pairs:
        same_weights(ours, upstream)
        ours.train()
        upstream.train()
        outs = [ours(outs[0]), upstream(outs[1])]
    for a, b in zip(*outs):
        assert relative_error(a, b) < 1e-10
    for levels in outs:
        sum((level**2).sum() for level in levels).backward()
    for ours, upstream in pairs:
        for (name, a), b in zip(ours.named_parameters(), upstream.parameters()):
            assert relative_error(a.grad, b.grad) < 1e-10, name
        for (name, a), b in zip(ours.named_buffers(), upstream.buffers()):
            assert relative_error(a.double(), b.double()) < 1e-10, name


def test_initial_weights():
    for ours, upstream in ((HRNet(SMALL), theirs(SMALL)),
                           (HRFPN([16, 32, 64, 128]), mmdet_necks.HRFPN([16, 32, 64, 128], 256))):
        randomize(ours)
        for model in (ours, upstream):
            torch.manual_seed(3)
            model.init_weights()
        convs = [key for key, tensor in upstream.state_dict().items() if tensor.dim() == 4 or key.endswith('bias')]
        for key in convs:
            assert torch.equal(ours.state_dict()[key], upstream.state_dict()[key]), key


def test_initial_norms():
    ours, upstream = HRNet(SMALL), theirs(SMALL)
    same_weights(ours, upstream)
    ours.init_weights()
    upstream.init_weights()
    for key, tensor in upstream.state_dict().items():
        if tensor.dim() == 1:
            assert torch.equal(ours.state_dict()[key], tensor), key

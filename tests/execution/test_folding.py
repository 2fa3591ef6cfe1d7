"""Folding of frozen batch norms: same outputs, same gradients."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.execution.folding import FoldedExecution, can_fold, folded_conv
from hrnet_plugin.experiments.benchmarking import saved_bytes
from hrnet_plugin.models import HRFPN, HRNet

ARCH = 'w18_small_v1'


def pair(conv_bias=False, **norm):
    torch.manual_seed(1)
    parts = nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=conv_bias), nn.BatchNorm2d(4, **norm)
    return [randomize(part).double().eval() for part in parts]


@pytest.mark.parametrize('options', [dict(), dict(conv_bias=True), dict(affine=False), dict(eps=0.1)], ids=str)
def test_same_output_and_gradients(options):
    conv, norm = pair(**options)
    x = torch.randn(2, 3, 16, 20, dtype=torch.double, requires_grad=True)
    parameters = [x, *conv.parameters(), *norm.parameters()]
    one, two = folded_conv(conv, norm, x), norm(conv(x))
    assert relative_error(one, two) < 1e-12
    for a, b in zip(*(torch.autograd.grad((out**2).sum(), parameters) for out in (one, two))):
        assert relative_error(a, b) < 1e-12


def test_can_fold():
    conv, norm = pair()
    assert can_fold(conv, norm)
    assert not can_fold(conv, norm.train())
    assert not can_fold(conv, nn.BatchNorm2d(4, track_running_stats=False).eval())
    assert not can_fold(conv, nn.GroupNorm(2, 4))
    assert not can_fold(conv, nn.Identity())  # as in models that mmcv has fused
    norm.eval()
    assert not can_fold(nn.Conv2d(3, 4, 3, padding=1, padding_mode='reflect'), norm)
    # reading this weight takes longer than reading the small feature maps of such layers
    assert not can_fold(nn.Conv2d(256, 256, 3), nn.BatchNorm2d(256).eval())


def test_parametrized_and_patched_layers_are_called():
    conv, norm = pair()
    conv.forward = lambda x: nn.functional.conv2d(x, conv.weight, stride=2, padding=1) + 1
    assert not can_fold(conv, norm)
    conv, norm = pair()
    nn.utils.parametrize.register_parametrization(conv, 'weight', nn.Tanh())
    x = torch.randn(1, 3, 16, 16, dtype=torch.double)
    assert relative_error(FoldedExecution().conv_norm_act(conv, norm, None, x), norm(conv(x))) < 1e-12


@pytest.mark.parametrize('which', [0, 1])
def test_hooks_of_both_modules_run(which):
    parts, seen = pair(), []
    handle = parts[which].register_forward_hook(lambda *_: seen.append(1))
    x = torch.randn(1, 3, 16, 16, dtype=torch.double)
    relu, execution = nn.ReLU(inplace=True), FoldedExecution()
    watched = execution.conv_norm_act(*parts, relu, x)
    assert seen
    handle.remove()
    assert can_fold(*parts)
    assert relative_error(execution.conv_norm_act(*parts, relu, x), watched) < 1e-12


def test_frozen_norms_halve_saved_activations():
    x = torch.randn(1, 3, 192, 256)
    models = [HRNet(ARCH, norm_eval=norm_eval).train() for norm_eval in (True, False)]
    fixed, free = (saved_bytes(partial(model, x)) for model in models)
    assert fixed < 0.65 * free


@pytest.mark.parametrize('bad', [float('nan'), 2.0])
def test_running_statistics_are_used_and_not_changed(bad):
    """The current running statistics are folded, also after they change."""
    network = randomize(HRNet(ARCH)).train()
    x = torch.randn(1, 3, 64, 64)
    before = network(x)[0].detach()
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.bn1.running_mean.fill_(bad)
    assert not torch.equal(network(x)[0], before)
    network.load_state_dict(state)
    assert torch.equal(network(x)[0], before)


@torch.no_grad()
def test_predictions_are_contiguous():
    """mmcv's RoIAlign silently misreads other memory formats."""
    network, neck = randomize(HRNet(ARCH)).eval(), randomize(HRFPN(arch=ARCH, out_channels=8)).eval()
    x = torch.randn(2, 3, 75, 101)
    feats = network(x)
    for out in (*feats, *neck(feats)):
        assert out.is_contiguous()
    # a channels_last input gives a channels_last backbone output and a contiguous pyramid
    other = network(x.contiguous(memory_format=torch.channels_last))
    assert all(out.is_contiguous(memory_format=torch.channels_last) for out in other)
    assert all(out.is_contiguous() for out in neck(other))
    for a, b in zip(feats, other):
        assert relative_error(a, b) < 1e-5

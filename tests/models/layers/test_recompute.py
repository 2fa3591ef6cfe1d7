"""Activation checkpointing: equal gradients, and one update of batch norm statistics."""

from __future__ import annotations

import copy

import torch
from conftest import relative_error
from torch import nn

from hrnet_plugin.models.layers.recompute import needs_gradient, recompute_in_backward


def test_gradients_and_statistics():
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh()).double()
    twin, runs = copy.deepcopy(plain), []
    twin[0].register_forward_hook(lambda *_: runs.append(1))
    x = torch.randn(2, 3, 8, 8, dtype=torch.double)
    plain(x.requires_grad_()).square().sum().backward()
    expected, x.grad = x.grad, None
    recompute_in_backward(twin, twin, x).square().sum().backward()
    assert runs == [1, 1]
    assert relative_error(x.grad, expected) < 1e-12
    for a, b in zip(plain.parameters(), twin.parameters()):
        assert relative_error(b.grad, a.grad) < 1e-12
    assert all(torch.equal(a, b) for a, b in zip(plain.buffers(), twin.buffers()))


def test_needs_gradient():
    x = torch.zeros(1)
    assert not needs_gradient(x)
    assert needs_gradient(x, torch.zeros(1, requires_grad=True))
    seen = []
    torch.fx.symbolic_trace(lambda x: seen.append(needs_gradient(x)) or x)
    assert seen == [False]

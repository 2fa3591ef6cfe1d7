"""Tools that count as tracers."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from hrnet_plugin.tracing import is_tracing


class Probe(nn.Module):
    def __init__(self):
        super().__init__()
        self.answers = []

    def forward(self, x):
        self.answers.append(is_tracing())
        return x + 1


def test_eager_calls_are_not_tracing():
    module, x = Probe(), torch.ones(2, requires_grad=True)
    module(x)
    with torch.no_grad(), torch.autocast('cpu'), FlopCounterMode(display=False):
        module(x)
    with torch.inference_mode():
        module(x)
    assert module.answers == [False] * 3


@pytest.mark.parametrize('trace', [
    lambda module, x: torch.jit.trace(module, x, check_trace=False),
    lambda module, x: torch.fx.symbolic_trace(module),
    lambda module, x: torch.vmap(module)(x),
    lambda module, x: torch.func.grad(lambda x: module(x).sum())(x),
    lambda module, x: torch.fx.experimental.proxy_tensor.make_fx(module)(x),
    lambda module, x: _fake(module),
], ids=['jit', 'fx', 'vmap', 'grad', 'make_fx', 'fake'])
def test_tracers(trace):
    module = Probe()
    trace(module, torch.ones(2))
    assert module.answers == [True]
    module(torch.ones(2))
    assert module.answers == [True, False]


def test_compilers():
    assert torch.compile(lambda x: x + is_tracing(), backend='eager', fullgraph=True)(torch.ones(1)) == 2


def _fake(module):
    with torch._subclasses.FakeTensorMode():
        module(torch.ones(2))

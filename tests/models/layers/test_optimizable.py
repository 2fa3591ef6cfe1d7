"""Modules with a compiled forward."""

from __future__ import annotations

import copy

import torch

from hrnet_plugin.models.layers.optimizable import OPTIMIZED, Optimizable


class Doubling(Optimizable):
    def forward(self, x):
        return self.optimized_or_eager(x)[0]

    def eager_forward(self, x):
        return (2 * x, )


class Engine:
    def __init__(self, outs):
        self.outs, self.invalidations = outs, 0

    def __call__(self, module, inputs):
        return self.outs

    def invalidate(self):
        self.invalidations += 1


def test_engine_runs_unless_it_returns_none():
    module, x = Doubling(), torch.ones(2)
    assert torch.equal(module(x), 2 * x)
    OPTIMIZED[module] = Engine((5 * x, ))
    assert torch.equal(module(x), 5 * x)
    assert torch.equal(copy.deepcopy(module)(x), 2 * x)
    assert torch.equal(torch.fx.symbolic_trace(module)(x), 2 * x)
    OPTIMIZED[module] = Engine(None)
    assert torch.equal(module(x), 2 * x)


def test_changing_the_mode_invalidates_the_engine():
    module, engine = Doubling(), Engine(None)
    OPTIMIZED[module] = engine
    assert module.eval() is module
    assert engine.invalidations == 1


def test_modules_are_not_kept_alive():
    module = Doubling()
    before = len(OPTIMIZED)
    OPTIMIZED[module] = Engine(None)
    del module
    assert len(OPTIMIZED) == before

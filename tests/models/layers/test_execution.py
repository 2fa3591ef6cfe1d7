"""Execution strategies: selection by name, and equal outputs."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.models import HRNet
from hrnet_plugin.models.layers.execution import EXECUTIONS, Execution, add_and_activate, get_execution


@pytest.mark.parametrize('name', ['plain', 'folded', 'recomputing'])
@pytest.mark.parametrize('act', [None, nn.ReLU(inplace=True), nn.SiLU()])
@pytest.mark.parametrize('residual', [False, True])
@pytest.mark.parametrize('train', [False, True])
def test_equal_outputs(name, act, residual, train):
    conv, norm = randomize(nn.Conv2d(3, 4, 3, bias=False)), randomize(nn.BatchNorm2d(4)).train(train)
    x, term = torch.randn(2, 3, 8, 8), torch.randn(2, 4, 6, 6) if residual else None
    expected = copy.deepcopy(norm)(conv(x)) + (term if residual else 0)
    got = get_execution(name).conv_norm_act(conv, norm, act, x, None if term is None else term.clone())
    assert relative_error(got, expected if act is None else copy.deepcopy(act)(expected.clone())) < 1e-5


def test_names():
    assert set(EXECUTIONS.module_dict) >= {'plain'}
    assert type(get_execution('plain')) is Execution
    with pytest.raises(KeyError, match='fast'):
        get_execution('fast')


def test_networks_with_any_execution_are_copied_and_pickled():
    for memory in ('full', 'lean'):
        net = HRNet('w18_small_v1', memory=memory).eval()
        x = torch.randn(1, 3, 32, 32)
        for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert all(torch.equal(a, b) for a, b in zip(net(x), twin(x)))


def test_add_and_activate_adds_in_place():
    out, residual = torch.ones(1, 2, 3, 3), torch.ones(1, 2, 3, 3)
    assert add_and_activate(out, None, residual) is out
    assert (out == 2).all()
    assert (residual == 1).all()

"""Rewritten graphs of networks other than HRNet: same outputs, unchanged inputs."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn
from torch.nn import functional as F

from hrnet_plugin.execution.graph import compile_graph, trace
from hrnet_plugin.execution.packed_conv import PackedConv
from hrnet_plugin.execution.rewriter import UnsupportedGraph
from hrnet_plugin.models.layers.optimizable import Optimizable


class Recording(PackedConv):
    """Convolution that records whether it adds a residual and applies ReLU."""
    calls: list

    def __call__(self, x, residual=None, relu=False):
        self.calls.append((residual is not None, relu))
        return super().__call__(x, residual, relu)


class Network(Optimizable):
    """Two convolutions with norms, and a function of them."""

    def __init__(self, compute):
        super().__init__()
        self.first, self.second = (nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4))
                                   for _ in range(2))
        self.relu, self.pointwise = nn.ReLU(inplace=True), nn.Conv2d(4, 8, 1)
        self.bias = nn.Parameter(torch.randn(1, 4, 1, 1))
        self.compute = compute

    def eager_forward(self, x):
        return self.compute(self, x)


def compiled(module, inputs):
    """Compile, run and compare with the eager model. Return the operations that each convolution fused."""
    randomize(module).eval()
    kept = inputs.clone()
    Recording.calls = []
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        function = compile_graph(module, trace(module), lambda weights: Recording(weights, torch.float32))
        function(inputs)
        expected = [out.clone() for out in module.eager_forward(inputs.clone())]
        got = function(inputs)
    assert len(got) == len(expected)
    assert all(relative_error(a, b) < 1e-5 for a, b in zip(got, expected))
    assert torch.equal(inputs, kept)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    return Recording.calls[:len(Recording.calls) // 2]


@pytest.mark.parametrize(('compute', 'calls'), [
    (lambda net, x: (net.relu(net.first(x)), ), [(False, True)]),
    (lambda net, x: (net.relu(net.second(net.relu(net.first(x))) + x), ), [(False, True), (True, True)]),
    (lambda net, x: (net.relu(net.first(x) + net.second(x)), ), [(False, False), (True, True)]),
    # a value that is read twice is neither folded nor overwritten
    (lambda net, x: (lambda y: (y, net.relu(y + 1)))(net.first(x)), [(False, False)]),
    (lambda net, x: (lambda y: (y + net.second(y), y * 2))(net.first(x)), [(False, False), (True, False)]),
    # one convolution, called twice
    (lambda net, x: (net.first(x) + net.first(x.flip(2)), ), [(False, False), (True, False)]),
    # sum of a value with itself
    (lambda net, x: (lambda y: (y + y, ))(net.first(x)), [(False, False)]),
    # outputs that are inputs, and a repeated output
    (lambda net, x: (x, net.first(x)), [(False, False)]),
    (lambda net, x: (lambda y: (y, y))(net.first(x)), [(False, False)]),
    # the residual is the input of the convolution
    (lambda net, x: (lambda y: (y + net.second(y), ))(net.relu(net.first(x))), [(False, True), (True, False)]),
    # views of a value that is read later, and of the input
    (lambda net, x: (lambda y: (F.relu(y.reshape(2, 4, -1)), y))(net.first(x)), [(False, False)]),
    (lambda net, x: (lambda y: (y.transpose(2, 3) + 1, y * 2))(net.first(x)), [(False, False)]),
    (lambda net, x: (F.relu(x.float()), net.first(x)), [(False, False)]),
    (lambda net, x: (net.bias.expand(2, -1, 9, 7) + x, ), []),
    (lambda net, x: (lambda y: (y, F.relu(torch.flatten(y, 2))))(net.first(x)), [(False, False)]),
    # tuples and numbers
    (lambda net, x: (net.first(x).reshape((2, 2, 2) + x.shape[2:]), ), [(False, False)]),
    (lambda net, x: (net.first(x) + x.size(1), ), [(False, False)]),
    (lambda net, x: (F.interpolate(net.first(x), size=(x.size(2) + 1, x.size(3) + 2)), ), [(False, False)]),
    (lambda net, x: (1 + net.first(x), ), [(False, False)]),
])
def test_sums_and_relus(compute, calls):
    assert compiled(Network(compute), torch.randn(2, 4, 9, 7)) == calls


def test_interpolated_pointwise_convolutions_are_merged():
    def compute(net, x):
        size, small = x.shape[-2:], F.avg_pool2d(x, 2)
        term = F.conv2d(small, net.pointwise.weight[:, :4])
        return (F.conv2d(x, net.pointwise.weight, net.pointwise.bias) + F.interpolate(term, size=size), )

    assert compiled(Network(compute), torch.randn(2, 4, 9, 7)) == [(False, False)]


def test_norm_in_training_mode_is_not_folded():
    net = randomize(Network(lambda net, x: (net.first(x), ))).eval()
    net.first[1].train()
    before = net.first[1].running_mean.clone()
    with torch.no_grad():
        function = compile_graph(net, trace(net), lambda weights: PackedConv(weights, torch.float32))
        function(torch.randn(2, 4, 9, 7))
    assert net.first[1].training
    assert not torch.equal(net.first[1].running_mean, before)


@pytest.mark.parametrize('compute', [
    lambda net, x: (lambda y: (net.relu(y), y + 1))(net.first(x)),
    lambda net, x: (lambda y: (y.mul_(2), ))(net.first(x)),
    lambda net, x: (lambda y, z: (y.add_(1), z * 2))(*(lambda y: (y, y[:, :2]))(net.first(x))),
])
def test_overwritten_values_raise(compute):
    net = randomize(Network(compute)).eval()
    with pytest.raises(UnsupportedGraph, match='overw'):
        compile_graph(net, trace(net), lambda weights: PackedConv(weights, torch.float32))


def test_modes_are_restored_after_failed_tracing():
    net = Network(lambda net, x: (x if x.sum() > 0 else -x, )).train()
    with pytest.raises(UnsupportedGraph, match='cannot trace'):
        trace(net)
    assert all(part.training for part in net.modules())


def test_layer_names_do_not_collide():
    class Named(Network):
        collected_conv_0 = property(lambda self: nn.Tanh())

    net = Named(lambda net, x: (net.tanh(net.first(x)), ))
    net.tanh = nn.Tanh()
    assert compiled(net, torch.randn(2, 4, 9, 7)) == [(False, False)]


def test_dropout_in_training_mode_stays():
    net = randomize(Network(lambda net, x: (net.dropout(net.first(x)), )))
    net.dropout = nn.Dropout(0.5)
    net.eval()
    net.dropout.train()
    with torch.no_grad():
        function = compile_graph(net, trace(net), lambda weights: PackedConv(weights, torch.float32))
        x = torch.randn(2, 4, 9, 7)
        assert not torch.equal(function(x)[0], function(x)[0])


def test_activation_with_overridden_forward():
    net = Network(lambda net, x: (net.relu(net.first(x)), ))
    net.relu.forward = F.silu
    assert compiled(net, torch.randn(2, 4, 9, 7)) == [(False, False)]

"""Operators under torch.compile and under deterministic algorithms."""

from __future__ import annotations

import sys

import mmcv_torch_ops
import pytest
import torch
from mmcv_ops_helpers import assert_close, mmcv_module, operators, with_gradients
from mmcv_torch_ops import eager

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def attention(value, locations, weights):
    function = mmcv_module('multi_scale_deform_attn').MultiScaleDeformableAttnFunction.apply
    shapes = torch.tensor([[3, 4], [1, 2]], device=value.device)
    return function(value, shapes, torch.tensor([0, 12], device=value.device), locations.sigmoid(), weights, 64)


def on(tensor, values):
    """Return values on the device of a tensor."""
    return torch.tensor(values, device=tensor.device)


BOXES = [[0, 3.3, 5.1, 30.7, 41.9], [1, 10.2, 8.4, 18.6, 33.3]]
# operators with gradients: function and its tensors
FUNCTIONS = {
    'roi_align-avg': (lambda x: mmcv_module('roi_align').roi_align(x, on(x, BOXES), 3, 0.25, 0, 'avg', True),
                      draw(2, 3, 12, 15)),
    'roi_align-max': (lambda x: mmcv_module('roi_align').roi_align(x, on(x, BOXES), 3, 0.25, 0, 'max', True),
                      draw(2, 3, 12, 15)),
    'roi_pool': (lambda x: mmcv_module('roi_pool').roi_pool(x, on(x, BOXES), 3, 0.25), draw(2, 3, 12, 15)),
    'deform_conv': (lambda x, offset, weight: mmcv_module('deform_conv').deform_conv2d(
        x, offset, weight, 1, 1, 1, 1, 1), draw(2, 4, 5, 6), draw(2, 18, 5, 6), draw(2, 4, 3, 3)),
    'modulated_deform_conv': (lambda *args: mmcv_module('modulated_deform_conv').modulated_deform_conv2d(
        *args, 1, 1, 1, 1, 1), draw(2, 4, 5, 6), draw(2, 18, 5, 6), draw(2, 9, 5, 6), draw(2, 4, 3, 3), draw(2)),
    'ms_deform_attn': (attention, draw(2, 14, 2, 3), draw(2, 5, 2, 2, 2, 2), draw(2, 5, 2, 2, 2)),
    'sigmoid_focal_loss': (lambda x: mmcv_module('focal_loss').sigmoid_focal_loss(
        x, on(x, [0, 1, 4]), 2., 0.25, None, 'none'), draw(3, 4)),
    'softmax_focal_loss': (lambda x: mmcv_module('focal_loss').softmax_focal_loss(
        x, on(x, [0, 1, 3]), 2., 0.25, None, 'sum'), draw(3, 4)),
}
ALERTING = ('roi_align-avg', 'roi_pool', 'deform_conv', 'modulated_deform_conv', 'ms_deform_attn')


@pytest.fixture(autouse=True)
def _no_graphs_of_other_tests():
    torch.compiler.reset()


@pytest.mark.parametrize('backend', ['eager', 'aot_eager'])
@pytest.mark.parametrize('name', FUNCTIONS)
def test_gradients_under_compile(name, backend):
    function, *tensors = FUNCTIONS[name]
    expected = with_gradients(function, *tensors)
    assert all(grad.any() for grad in expected[1:])
    assert_close(with_gradients(torch.compile(function, backend=backend), *tensors), expected, 0)


@pytest.mark.parametrize('backend', ['eager', 'aot_eager'])
@pytest.mark.parametrize('name', ['nms', 'soft_nms'])
def test_suppression_under_compile(name, backend):
    corners = 50 * draw(50, 2).sigmoid()
    boxes, scores = torch.cat([corners, corners + 20], 1), draw(50, seed=1).sigmoid()
    function = getattr(mmcv_module('nms'), name)
    with operators(mmcv_torch_ops):
        expected = function(boxes, scores, 0.5)
        assert len(expected[1]) > 1
        compiled = torch.compile(lambda boxes, scores: function(boxes, scores, 0.5), backend=backend)
        assert_close(compiled(boxes, scores), expected, 0)


@pytest.mark.parametrize('name', [name for name in mmcv_torch_ops.__all__
                                  if name not in ('ORIGIN', '__version__') and not name.startswith('get_')])
def test_operators_break_the_graph(name):
    assert getattr(mmcv_torch_ops, name)._torchdynamo_disable


@pytest.fixture
def deterministic(monkeypatch):
    """Deterministic algorithms, and CPUs treated as devices that have none for the gradients."""
    monkeypatch.setattr(eager, 'DETERMINISTIC_DEVICES', ())
    eager._warn_once.cache_clear()
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(False)
    eager._warn_once.cache_clear()


class Spy:
    """Namespace of operators that notes whether deterministic algorithms are enabled at its backward calls."""

    def __init__(self, namespace, states):
        self.namespace, self.states = namespace, states

    def __getattr__(self, name):
        operator = getattr(self.namespace, name)
        if 'backward' not in name:
            return operator

        def call(*args):
            self.states.append(torch.are_deterministic_algorithms_enabled())
            return operator(*args)

        return call


@pytest.mark.parametrize('name', ALERTING)
def test_deterministic_algorithms_are_off_in_gradients(name, deterministic, monkeypatch):
    function, *tensors = FUNCTIONS[name]
    states = []
    for module in ('deform_conv', 'modulated_deform_conv', 'roi_align', 'roi_pool'):
        monkeypatch.setattr(sys.modules[f'mmcv_torch_ops.{module}'], 'operators', Spy(torch.ops.torchvision, states))
    monkeypatch.setattr(torch.ops, 'aten', Spy(torch.ops.aten, states))
    with pytest.warns(UserWarning, match='no deterministic implementation on this device'):
        with_gradients(function, *tensors)
    assert states
    assert not any(states)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()


def test_deterministic_algorithms_come_back_after_an_error(deterministic):
    with pytest.raises(KeyError), pytest.warns(UserWarning, match='no deterministic'), \
            eager.nondeterministic(torch.device('cpu')):
        raise KeyError
    assert torch.are_deterministic_algorithms_enabled()


def test_the_warning_comes_once(deterministic):
    function, *tensors = FUNCTIONS['deform_conv']
    with pytest.warns(UserWarning, match='no deterministic') as caught:
        with_gradients(lambda *args: function(*args) + function(*args), *tensors)
    assert len(caught) == 1


def test_deterministic_algorithms_stay_on_for_cpus():
    torch.use_deterministic_algorithms(True)
    try:
        with eager.nondeterministic(torch.device('cpu')):
            assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


@CUDA
@pytest.mark.parametrize('name', FUNCTIONS)
def test_deterministic_algorithms_on_gpus(name):
    function, *tensors = FUNCTIONS[name]
    tensors = [tensor.cuda() for tensor in tensors]
    expected = with_gradients(function, *tensors)
    torch.use_deterministic_algorithms(True)
    try:
        assert_close(with_gradients(function, *tensors), expected)
    finally:
        torch.use_deterministic_algorithms(False)

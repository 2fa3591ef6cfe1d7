"""Benchmarks: counts, memory and interleaved timing."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.experiments.benchmarking import (
    describe,
    measure,
    measure_machine,
    network,
    peak_bytes,
    random_weights,
    saved_bytes,
)
from hrnet_plugin.models import HRFPN, HRNet


def test_saved_bytes_are_those_of_the_backward_pass():
    x = torch.randn(1, 4, 64, 64)  # 64 KiB
    size = x.numel() * 4
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
    # the ReLU and the convolution after it save the same tensor; the last output is not saved
    assert saved_bytes(lambda: [model(x)]) == size
    # a tensor that is saved twice or in part counts once and whole
    assert saved_bytes(lambda: [(2 * x.requires_grad_()).exp()[:, :2].clone()]) == pytest.approx(size, abs=64)
    with torch.no_grad():
        assert saved_bytes(lambda: [model(x)]) == 0


def test_saved_bytes_include_tensors_of_hooks():
    x = torch.randn(1, 4, 64, 64, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.half(), lambda t: t.float()):
        assert saved_bytes(lambda: [x.exp()]) == x.numel() * 2


def test_peak_bytes():
    x = torch.randn(2**16)
    # abs: the scalar operands
    assert peak_bytes(lambda: (x * 2).add_(1)) == pytest.approx(4 * x.numel(), abs=64)
    assert peak_bytes(lambda: (x * 2) + (x * 3)) == pytest.approx(3 * 4 * x.numel(), abs=64)


def networks():
    eager = random_weights(nn.Sequential(HRNet('w18_small_v1'), HRFPN(arch='w18_small_v1', out_channels=16)))
    other = nn.Sequential(HRNet('w18_small_v1'), HRFPN(arch='w18_small_v1', out_channels=16))
    other.load_state_dict(eager.state_dict())
    return dict(first=eager, engine=optimize_for_inference(other))


def test_inference():
    machine = measure_machine(seconds=0.02)
    assert machine.macs > 1e8
    assert machine.bytes > 1e8
    records = measure(networks(), torch.randn(1, 3, 64, 64), rounds=3, machine=machine)
    first, engine = records['first'], records['engine']
    assert first['ratio'] == 1
    assert first['relative_error'] == 0
    assert 0 < engine['relative_error'] < 1e-5
    assert engine['operators'] < 0.5 * first['operators']
    assert engine['macs'] == first['macs'] > 0
    assert engine['conv_share'] == pytest.approx(engine['macs'] / machine.macs / engine['seconds'])
    assert 'kept' not in first


def test_relative_error_requires_the_same_weights():
    one, other = (random_weights(HRNet('w18_small_v1')) for _ in range(2))
    records = measure(dict(one=one, other=other), torch.randn(1, 3, 64, 64), rounds=1)
    assert records['one']['relative_error'] == 0
    assert 'relative_error' not in records['other']


def test_training_steps():
    lean = random_weights(HRNet('w18_small_v1', norm_eval=False, memory='lean'))
    full = random_weights(HRNet('w18_small_v1', norm_eval=False))
    records = measure(dict(full=full, lean=lean), torch.randn(2, 3, 64, 64), rounds=1, train=True)
    assert records['lean']['kept'] < 0.6 * records['full']['kept']
    assert records['lean']['peak'] < records['full']['peak']
    assert records['full']['operators'] > 400
    assert all(record['seconds'] > 0 for record in records.values())
    assert 'relative_error' not in records['full']


def test_mixed_precision():
    records = measure(networks(), torch.randn(1, 3, 64, 64), rounds=1, amp=torch.bfloat16)
    assert 1e-4 < records['engine']['relative_error'] < 0.1


def test_ratios_are_medians_of_rounds(monkeypatch):
    """Each round has its own ratio, so that one slow round does not change the median."""
    module = sys.modules['hrnet_plugin.experiments.benchmarking.measure']  # the package has the function
    seconds = iter([1., .5, 30., 2., 3., 2.])  # three rounds of two

    class Timer:
        def __init__(self, *args, **kwargs):
            pass

        def timeit(self, number):
            self.mean = next(seconds)
            return self

    monkeypatch.setattr(module, 'Timer', Timer)
    timed = module.time_interleaved(dict(a=lambda: None, b=lambda: None), rounds=3)
    assert timed['b'] == dict(times=[.5, 2., 2.], seconds=2., ratio=2.)
    assert timed['a'] == dict(times=[1., 30., 3.], seconds=3., ratio=1.)


def test_network_of_a_config():
    model = dict(type='X', backbone=dict(type='hrnet_plugin.HRNet', arch='w18_small_v1'),
                 neck=dict(type='hrnet_plugin.HRFPN', arch='w18_small_v1', out_channels=8), head=dict(type='Y'))
    built = network(model, 'mmengine').eval()
    assert [out.shape[1] for out in built(torch.randn(1, 3, 64, 64))] == [8] * 5
    with pytest.raises(ValueError, match='backbone'):
        network(dict(type='X'), 'mmengine')


def test_description():
    facts = describe()
    assert facts['torch'] == torch.__version__
    assert facts['threads'] == torch.get_num_threads()
    assert facts['processor']
    assert facts['mmengine']


def test_random_weights_give_moderate_outputs():
    model = random_weights(HRNet('w18')).eval()
    with torch.no_grad():
        outs = model(torch.randn(1, 3, 64, 64))
    assert all(0.01 < out.std() < 1e4 for out in outs)

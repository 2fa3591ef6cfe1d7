"""Capture and replay of CUDA graphs, with a fake capture and, on GPUs, the real one."""

from __future__ import annotations

import copy

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.execution import optimize_for_inference, restore_eager
from hrnet_plugin.execution.cuda_graphs import CudaGraphCache
from hrnet_plugin.models import HRFPN, HRNet


class Recorder:
    """Counter of function calls, captures and replays."""

    def __init__(self, fails_at=None):
        self.runs, self.captures, self.replays, self.fails_at = 0, 0, 0, fails_at

    def function(self, x):
        self.runs += 1
        return [2 * x]

    def capture(self, function, inputs):
        self.captures += 1
        if self.captures == self.fails_at:
            raise RuntimeError('out of memory')

        def replay(x):
            self.replays += 1
            return [2 * x]

        return replay


def run(recorder, limit, widths):
    buckets = CudaGraphCache(recorder.function, limit, recorder.capture)
    for width in widths:
        x = torch.randn(1, width)
        assert torch.equal(buckets(x)[0], 2 * x)
    return recorder.runs, recorder.captures, recorder.replays


def test_a_graph_is_captured_at_the_second_call():
    assert run(Recorder(), 8, [1, 2, 3]) == (3, 0, 0)
    assert run(Recorder(), 8, [1, 1, 1, 2, 1]) == (2, 1, 3)


def test_maximum_number_of_graphs():
    assert run(Recorder(), 2, [1, 1, 2, 2, 3, 3, 3, 1, 2]) == (5, 2, 4)
    assert run(Recorder(), 0, [1, 1, 1]) == (3, 0, 0)


def test_no_captures_after_a_failure():
    assert run(Recorder(fails_at=2), 8, [1, 1, 2, 2, 2, 3, 3, 3, 1]) == (7, 2, 2)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_on_a_gpu(dtype):
    model = randomize(nn.Sequential(HRNet('w18_small_v1'), HRFPN(arch='w18_small_v1'))).eval().cuda()
    twin = optimize_for_inference(copy.deepcopy(model), max_graphs=0)
    optimize_for_inference(model)
    with torch.no_grad(), torch.autocast('cuda', dtype, enabled=dtype != torch.float32):
        # alternating shapes, so that several graphs exist at the same time
        for size in ((64, 96), (128, 64), (64, 96), (128, 64), (96, 96), (64, 96), (128, 64)):
            x = torch.randn(1, 3, *size, device='cuda')
            assert max(relative_error(a.float(), b.float()) for a, b in zip(model(x), twin(x))) < 1e-2
    restore_eager(model)

"""Multi-scale deformable attention agrees with references, with finite differences and with mmcv."""

from __future__ import annotations

import mmcv_ops_helpers as helpers
import mmcv_ops_references as references
import mmcv_torch_ops
import pytest
import torch
from mmcv_ops_helpers import DEVICES, assert_close, mmcv_module, operators

module = mmcv_module('multi_scale_deform_attn')
SHAPES = torch.tensor([[6, 4], [3, 2], [1, 5]])
STARTS = torch.tensor([0, 24, 30])


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def tensors(device='cpu', dtype=torch.float32, batch=2, queries=5):
    """Values, sampling locations, some of them outside, and attention weights of 2 heads and 2 points."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.rand(shape, dtype=torch.float64, generator=generator)

    drawn = draw(batch, 35, 2, 3) - 0.5, 1.6 * draw(batch, queries, 2, 3, 2, 2) - 0.3, draw(batch, queries, 2, 3, 2)
    return [tensor.to(device, dtype) for tensor in drawn]


def attend(value, locations, weights):
    function = module.MultiScaleDeformableAttnFunction.apply
    return function(value, SHAPES.to(value.device), STARTS.to(value.device), locations, weights, 64)


def test_attention(device):
    value, locations, weights = tensors(device, torch.float64)
    expected = references.ms_deform_attn(value.cpu(), SHAPES, STARTS, locations.cpu(), weights.cpu())
    with operators(mmcv_torch_ops):
        assert_close([attend(value, locations, weights)], [expected.to(device)], 1e-12)
        single = attend(value.float(), locations.float(), weights.float())
        assert_close([single], [expected.float().to(device)])


def test_start_indices_need_not_be_contiguous():
    value, locations, weights = tensors(dtype=torch.float64)
    starts = torch.tensor([11, 5, 0])
    output = mmcv_torch_ops.ms_deform_attn_forward(value, SHAPES, starts, locations, weights, im2col_step=64)
    assert_close([output], [references.ms_deform_attn(value, SHAPES, starts, locations, weights)], 1e-12)


def test_against_mmcv_in_pytorch():
    """The function that mmcv uses on CPUs."""
    def theirs(value, locations, weights):
        return module.multi_scale_deformable_attn_pytorch(value, SHAPES, locations, weights)

    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-12)):
        args = tensors(dtype=dtype)
        assert_close(helpers.with_gradients(attend, *args), helpers.with_gradients(theirs, *args), tolerance)


def test_against_compiled():
    if not torch.cuda.is_available():
        pytest.skip('mmcv has this operator for CUDA only')
    helpers.check_against_compiled(attend, *tensors('cuda'), device='cuda', tolerance=1e-5)


def test_gradients():
    helpers.check_gradients(attend, *tensors(batch=1, queries=2))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_types(device, dtype):
    helpers.check_half(attend, *tensors(device), dtype=dtype)


def test_layouts_and_autocast(device):
    helpers.check_layouts(attend, *tensors(device))
    helpers.check_autocast(attend, *tensors(device))


@pytest.mark.parametrize(('batch', 'queries'), [(0, 5), (2, 0)])
def test_no_queries(device, batch, queries):
    args = tensors(device, batch=batch, queries=queries)
    output, *grads = helpers.with_gradients(attend, *args)
    assert output.shape == (batch, queries, 6)
    assert [grad.shape for grad in grads] == [arg.shape for arg in args]
    assert not any(grad.any() for grad in grads)


def test_gradients_are_added():
    args = tensors()
    _, *expected = helpers.with_gradients(attend, *args)
    generator = torch.Generator().manual_seed(1)
    grad = torch.randn(2, 5, 6, generator=generator, dtype=torch.float64).float()
    totals = [torch.ones_like(arg) for arg in args]
    value, locations, weights = args
    mmcv_torch_ops.ms_deform_attn_backward(value, SHAPES, STARTS, locations, weights, grad, *totals, im2col_step=64)
    assert_close(totals, [1 + tensor for tensor in expected])

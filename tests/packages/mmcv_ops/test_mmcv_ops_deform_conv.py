"""Deformable convolutions agree with a compiled mmcv, with a reference and with finite differences."""

from __future__ import annotations

import mmcv_ops_helpers as helpers
import mmcv_ops_references as references
import mmcv_torch_ops
import pytest
import torch
from mmcv_ops_helpers import DEVICES, assert_close, mmcv_module, operators
from mmcv_torch_ops import deform_columns

# stride, padding, dilation, groups, deform_groups
CASES = [((1, 1), (1, 1), (1, 1), 1, 1), ((2, 1), (0, 1), (1, 2), 1, 2), ((1, 2), (2, 1), (2, 1), 2, 1),
         ((1, 1), (1, 1), (1, 1), 2, 2)]
KERNEL = (3, 2)


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def tensors(case, modulated, device='cpu', dtype=torch.float32, batch=2):
    """Return input and offset, then mask, weight and bias for v2 or weight for v1."""
    stride, padding, dilation, groups, deform_groups = case
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, p, d, k, s in zip((5, 6), padding, dilation, KERNEL, stride)]
    points = deform_groups * KERNEL[0] * KERNEL[1]
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, 4, 5, 6), (batch, 2 * points, *size), (batch, points, *size), (2, 4 // groups, *KERNEL), (2,)]
    drawn = [torch.randn(shape, dtype=torch.float64, generator=generator).to(device, dtype) for shape in shapes]
    return drawn if modulated else [drawn[0], drawn[1], drawn[3]]


def convolution(case, modulated):
    stride, padding, dilation, groups, deform_groups = case
    if modulated:
        function = mmcv_module('modulated_deform_conv').modulated_deform_conv2d
        return lambda *args: function(*args, stride, padding, dilation, groups, deform_groups)
    function = mmcv_module('deform_conv').deform_conv2d
    return lambda *args: function(*args, stride, padding, dilation, groups, deform_groups)


def reference(case, modulated, args):
    if not modulated:
        return references.deform_conv(*args, *case)
    x, offset, mask, weight, bias = args
    return references.deform_conv(x, offset, weight, *case, mask, bias)


both = pytest.mark.parametrize('modulated', [False, True], ids=['v1', 'v2'])
cases = pytest.mark.parametrize('case', CASES, ids=['plain', 'strided', 'grouped', 'both-groups'])


@both
@cases
def test_convolution(device, case, modulated):
    args = tensors(case, modulated, device, torch.float64)
    expected = reference(case, modulated, [arg.cpu() for arg in args])
    with operators(mmcv_torch_ops):
        assert_close([convolution(case, modulated)(*args)], [expected.to(device)], 1e-12)
        single = convolution(case, modulated)(*(arg.float() for arg in args))
        assert_close([single], [expected.float().to(device)], 2e-6)


@both
@cases
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_against_compiled(device, case, modulated, dtype, tolerance):
    """In float32 up to the order of sums."""
    args = tensors(case, modulated, device, dtype)
    helpers.check_against_compiled(convolution(case, modulated), *args, device=device, tolerance=tolerance)


@both
@cases
def test_gradients(case, modulated):
    helpers.check_gradients(convolution(case, modulated), *tensors(case, modulated, batch=1))


def test_without_bias():
    def function(x, offset, mask, weight):
        return convolution(CASES[0], True)(x, offset, mask, weight, None)

    args = tensors(CASES[0], True)[:4]
    helpers.check_gradients(function, *args)
    helpers.check_against_compiled(function, *args)


@both
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_types(device, dtype, modulated):
    helpers.check_half(convolution(CASES[1], modulated), *tensors(CASES[1], modulated, device), dtype=dtype)


@both
def test_layouts_and_autocast(device, modulated):
    args = tensors(CASES[1], modulated, device)
    helpers.check_layouts(convolution(CASES[1], modulated), *args)
    helpers.check_autocast(convolution(CASES[1], modulated), *args)


def test_no_images_v1(device):
    """mmcv's function rejects empty batches, but its operator does not."""
    x, offset, weight = tensors(CASES[0], False, device, batch=0)
    output, grad_weight = x.new_zeros(0, 2, *offset.shape[2:]), torch.zeros_like(weight)
    common = dict(kW=2, kH=3, dW=1, dH=1, padW=1, padH=1, dilationW=1, dilationH=1, group=1, deformable_group=1,
                  im2col_step=1)
    scratch = x.new_empty(0)
    mmcv_torch_ops.deform_conv_forward(x, weight, offset, output, scratch, scratch, **common)
    mmcv_torch_ops.deform_conv_backward_input(x, offset, output, x.clone(), offset.clone(), weight, scratch, **common)
    mmcv_torch_ops.deform_conv_backward_parameters(x, offset, output, grad_weight, scratch, scratch, scale=1.,
                                                   **common)
    assert not grad_weight.any()


def test_no_images_v2(device):
    x, offset, mask, weight, bias = tensors(CASES[0], True, device, batch=0)
    output, grads = x.new_zeros(0, 2, *offset.shape[2:]), [torch.zeros_like(t) for t in (x, weight, bias, offset, mask)]
    common = dict(kernel_h=3, kernel_w=2, stride_h=1, stride_w=1, pad_h=1, pad_w=1, dilation_h=1, dilation_w=1,
                  group=1, deformable_group=1, with_bias=True)
    scratch = x.new_empty(0)
    mmcv_torch_ops.modulated_deform_conv_forward(x, weight, bias, scratch, offset, mask, output, scratch, **common)
    mmcv_torch_ops.modulated_deform_conv_backward(x, weight, bias, scratch, offset, mask, scratch, *grads, output,
                                                  **common)
    assert not any(grad.any() for grad in grads)


def test_gradients_are_added():
    """As in compiled operators, and ``scale`` weighs the gradient of the kernels."""
    x, offset, weight = tensors(CASES[0], False)
    _, grad_input, _, grad_weight = helpers.with_gradients(convolution(CASES[0], False), x, offset, weight)
    generator = torch.Generator().manual_seed(1)
    grad = torch.randn(2, 2, *offset.shape[2:], generator=generator, dtype=torch.float64).float()
    common = dict(kW=2, kH=3, dW=1, dH=1, padW=1, padH=1, dilationW=1, dilationH=1, group=1, deformable_group=1,
                  im2col_step=2)
    scratch = x.new_empty(0)
    total, total_weight = torch.ones_like(x), torch.ones_like(weight)
    mmcv_torch_ops.deform_conv_backward_input(x, offset, grad, total, offset.clone(), weight, scratch, **common)
    mmcv_torch_ops.deform_conv_backward_parameters(x, offset, grad, total_weight, scratch, scratch, scale=0.5,
                                                   **common)
    assert_close([total, total_weight], [1 + grad_input, 1 + 0.5 * grad_weight])


@both
@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_offsets_that_are_not_finite(device, modulated, value):
    """Their samples contribute 0, as in mmcv, and get no gradient."""
    x, offset, *rest = tensors(CASES[1], modulated, device)
    far = offset.clone()
    offset[0, ::3, 1], far[0, ::3, 1] = value, -1e6
    output, grad_x, grad_offset, *grads = helpers.with_gradients(convolution(CASES[1], modulated), x, offset, *rest)
    expected = helpers.with_gradients(convolution(CASES[1], modulated), x, far, *rest)
    assert_close([output, grad_x, grad_offset, *grads], expected, 0)
    assert not grad_offset[0, ::3, 1].any()
    assert all(result.isfinite().all() for result in expected)


@both
def test_offsets_that_are_all_nan(device, modulated):
    """The output is the bias."""
    x, offset, *rest = tensors(CASES[0], modulated, device)
    nan = torch.full_like(offset, torch.nan)
    output, *grads = helpers.with_gradients(convolution(CASES[0], modulated), x, nan, *rest)
    bias = rest[2].view(1, -1, 1, 1) if modulated else 0
    assert_close([output], [torch.zeros_like(output) + bias], 0)
    assert not any(grad.any() for grad in (grads[:-1] if modulated else grads))


@both
def test_nan_offsets_against_compiled(modulated):
    def compute(extension):
        x, offset, *rest = tensors(CASES[1], modulated)
        offset[0, ::3, 1] = torch.nan
        with operators(extension):
            return [convolution(CASES[1], modulated)(x, offset, *rest)]

    assert_close(compute(mmcv_torch_ops), helpers.from_compiled(compute))


@both
@cases
def test_chunks_of_images(monkeypatch, device, case, modulated):
    """The results do not depend on them."""
    args = tensors(case, modulated, device, torch.float64, batch=5)
    expected = helpers.with_gradients(convolution(case, modulated), *args)
    for samples in (1, 2 * args[0][0].numel() * 6):
        monkeypatch.setattr('mmcv_torch_ops.deform_columns.MAX_COLUMNS', samples)
        assert_close(helpers.with_gradients(convolution(case, modulated), *args), expected, 1e-14)


@pytest.mark.parametrize(('samples', 'sizes'), [(1, [1, 1, 1, 1, 1]), (2 * 4 * 6 * 30, [2, 2, 1]), (10**9, [5])])
def test_sizes_of_chunks(monkeypatch, samples, sizes):
    monkeypatch.setattr(deform_columns, 'MAX_COLUMNS', samples)
    offset, weight = torch.zeros(5, 12, 5, 6), torch.zeros(2, 2, *KERNEL)
    chunks = list(deform_columns.image_chunks(offset, weight, group=2))
    assert [len(range(5)[part]) for part in chunks] == sizes

"""Helpers of the tests of mmcv_torch_ops: mmcv's functions on either set of operators, and comparisons."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import mmcv_torch_ops
import numpy as np
import pytest
import torch

pytest.importorskip('mmcv.ops')

DATA = Path(__file__).resolve().parents[1] / 'data'
OUTPUTS, SIGNATURES = DATA / 'compiled_outputs.npz', DATA / 'compiled_signatures.json'
recorded = None  # the outputs of compiled operators, while write_compiled_outputs.py runs the tests

# the order of sums on GPUs is not deterministic
CUDA_TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 2e-2}
DEVICES = ['cpu', pytest.param('cuda', marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU'))]


def mmcv_module(name):
    """Return a module of mmcv.ops. Attributes of the package are functions of the same names."""
    import_module(f'mmcv.ops.{name}')
    return sys.modules[f'mmcv.ops.{name}']


@contextmanager
def operators(extension):
    """Run mmcv's functions on an extension module."""
    modules = [module for name, module in sys.modules.items()
               if name.startswith('mmcv.ops.') and hasattr(module, 'ext_module')]
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            patch.setattr(module, 'ext_module', extension)
        yield


def compiled(device='cpu'):
    """Return mmcv's compiled operators, or skip the test."""
    extension = import_module('mmcv._ext')
    if not is_compiled():
        pytest.skip('mmcv is not compiled here')
    if device == 'cuda' and extension.get_compiling_cuda_version() == 'not available':
        pytest.skip('mmcv is not compiled for CUDA here')
    return extension


def is_compiled():
    return import_module('mmcv._ext').__file__.endswith(tuple(EXTENSION_SUFFIXES))


def from_compiled(compute, device='cpu'):
    """Return the tensors that ``compute`` returns for the compiled operators.

    They are computed where mmcv is compiled. Otherwise, they are those that write_compiled_outputs.py has stored.
    """
    if device == 'cuda':
        return compute(compiled(device))
    if not is_compiled():
        return stored(current_test())
    outputs = compute(compiled())
    if recorded is not None:
        recorded[current_test()] = outputs
    else:
        assert_close([tensor.float() for tensor in stored(current_test())], [tensor.float() for tensor in outputs])
    return outputs


def current_test():
    """Return the name of the running test with its parameters."""
    return os.environ['PYTEST_CURRENT_TEST'].partition('::')[2].partition(' ')[0]


def stored(test):
    """Return the stored outputs of a test: float32 or int32."""
    count = sum(key.startswith(f'{test}:') for key in stored_arrays())
    if not count:
        pytest.fail(f'{OUTPUTS.name} must have outputs of {test}. Run write_compiled_outputs.py with a compiled mmcv.')
    return [torch.from_numpy(stored_arrays()[f'{test}:{index}']) for index in range(count)]


@cache
def stored_arrays():
    with np.load(OUTPUTS) as arrays:
        return dict(arrays)


def read_signature(name):
    """Return the names of the arguments of a compiled operator, from its docstring."""
    first_line = getattr(compiled(), name).__doc__.splitlines()[0]
    return re.findall(r'(\w+): ', first_line[first_line.index('(') + 1:first_line.rindex(')')])


def stored_signature(name):
    return json.loads(SIGNATURES.read_text())[name]


def with_gradients(function, *tensors, extension=mmcv_torch_ops):
    """Return the output and, by a fixed random output gradient, the gradients of all floating-point tensors."""
    leaves = [tensor.detach().clone(memory_format=torch.preserve_format) for tensor in tensors]
    wanted = [leaf.requires_grad_() for leaf in leaves if leaf.is_floating_point()]
    with operators(extension):
        output = function(*leaves)
        generator = torch.Generator().manual_seed(1)
        direction = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output)
        grads = torch.autograd.grad(output, wanted, direction, allow_unused=True)
    return [output.detach(), *(grad for grad in grads if grad is not None)]


def assert_close(ours, theirs, tolerance=1e-6):
    """Compare tensors by their largest difference over the largest value."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
        if mine.is_cuda:
            tolerance = max(tolerance, CUDA_TOLERANCES[mine.dtype])
        if mine.numel():
            scale = other.abs().max().clamp(min=1e-30)
            assert ((mine - other).abs().max() / scale).item() <= tolerance


def check_against_compiled(function, *tensors, device='cpu', tolerance=1e-6):
    """Compare output and gradients with those of a compiled mmcv."""
    ours = with_gradients(function, *tensors)
    theirs = from_compiled(lambda extension: with_gradients(function, *tensors, extension=extension), device)
    if not is_compiled():
        theirs = [tensor.to(mine.dtype) for tensor, mine in zip(theirs, ours, strict=True)]
        tolerance = max(tolerance, 1e-6)
    assert_close(ours, theirs, tolerance)


def check_gradients(function, *tensors):
    """Compare the gradients with finite differences in float64."""
    leaves = [tensor.detach().double().requires_grad_() if tensor.is_floating_point() else tensor
              for tensor in tensors]
    with operators(mmcv_torch_ops):
        assert torch.autograd.gradcheck(function, leaves, eps=1e-6, atol=1e-6, rtol=1e-5, fast_mode=True)


def check_half(function, *tensors, dtype):
    """Check that half types give the rounded results of float32, and gradients of the same type."""
    half = [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in tensors]
    results = with_gradients(function, *half)
    wide = with_gradients(function, *(tensor.float() if tensor.is_floating_point() else tensor for tensor in half))
    assert all(result.dtype == dtype for result in results)
    assert_close(results[:1], [wide[0].to(dtype)], 0)
    assert_close([result.float() for result in results], wide, 2e-2)


def check_layouts(function, *tensors):
    """Check that channels_last and strided inputs give bitwise the results of contiguous ones."""
    expected = with_gradients(function, *tensors)
    strided = [torch.stack([tensor, tensor], -1)[..., 0] for tensor in tensors]
    assert not any(tensor.is_contiguous() for tensor in strided)
    last = [tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor
            for tensor in tensors]
    for layout in (strided, last):
        assert_close(with_gradients(function, *layout), expected, 0)


def check_autocast(function, *tensors):
    """Check that float32 inputs are computed in float32 under autocast, as by compiled operators."""
    expected = with_gradients(function, *tensors)
    with torch.autocast(tensors[0].device.type, torch.bfloat16):
        assert_close(with_gradients(function, *tensors), expected, 0)

"""Training that saves the convolutions' outputs and fused feature maps only, and recomputes what lies between them.

A batch norm saves its input for the backward pass. The next convolution saves its own input, which norm, residual sum
and ReLU compute from that saved tensor. It is cheap to recompute: so autograd gets a recipe in its place. Nothing is
convolved twice, and the batch statistics, which are saved, are neither computed nor counted twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.execution.folding import FoldedExecution, folds, has_batch_statistics
from hrnet_plugin.models.layers.execution import EXECUTIONS, finish
from hrnet_plugin.models.layers.module_checks import has_hooks
from hrnet_plugin.tracing import is_tracing

_active = threading.local()


@EXECUTIONS.register_module(name='recomputing')
class RecomputingExecution(FoldedExecution):
    """Execution that saves recipes instead of activations. No effect under tracers."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """As :meth:`Execution.conv_norm_act`."""
        recorder: Recorder | None = getattr(_active, 'recorder', None)
        if recorder is None or folds(conv, norm):
            return super().conv_norm_act(conv, norm, act, x, residual)
        source = conv(x)
        out = norm(source)
        batch_norm = norm if _is_recomputable(norm, act) else None
        statistics = None if batch_norm is None else _statistics(batch_norm, source, out.grad_fn)
        term = None if residual is None else recorder.find(residual) or SavedTensor(residual)
        out = finish(out, None, residual)
        if batch_norm is not None and statistics is not None and out.requires_grad:
            # before the activation, which saves its result
            recorder.record(out, RecomputableActivation(source, statistics, batch_norm, term, act is not None))
        return finish(out, act, None)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """As :meth:`FoldedExecution.run`."""
        with _recording():
            return super().run(function, inputs, plain_convs)


class SavedTensor:
    """A tensor that is needed in the backward pass as it is now.

    With hooks, autograd does not check that nothing was overwritten. The tensor is detached: else it would hold the
    graph that holds it.
    """

    def __init__(self, x: Tensor) -> None:
        self._x, self._version = x.detach(), x._version

    def value(self) -> Tensor:
        """Return the tensor.

        Raises:
            RuntimeError: If it was written to.
        """
        if self._x._version != self._version:
            raise RuntimeError(
                'one of the variables needed for gradient computation has been modified by an inplace operation: '
                f'{self._x.dtype} {list(self._x.shape)} is at version {self._x._version}, expected {self._version}')
        return self._x

    use = value


class RecomputableActivation:
    """Recipe of an activation: norm of a convolution's output, then residual sum, then ReLU.

    Args:
        source: The convolution's output.
        statistics: Mean and inverse standard deviation of that forward pass.
        norm: Norm layer whose affine parameters are applied.
        term: Added to the normalized ``source``; None for nothing.
        relu: Whether ReLU follows.
    """

    def __init__(self, source: Tensor, statistics: tuple[Tensor, Tensor], norm: _BatchNorm,
                 term: SavedTensor | RecomputableActivation | None, relu: bool) -> None:
        self._source, self._eps = SavedTensor(source), norm.eps
        self._mean, self._invstd = (x.detach() for x in statistics)
        self._affine = [None if x is None else SavedTensor(x) for x in (norm.weight, norm.bias)]
        self._term, self.relu = term, relu
        self._value: Tensor | None = None
        self._uses, self._left = 0, 0

    def keep(self) -> RecomputableActivation:
        """Count one use in the backward pass; return itself, in the place of the activation."""
        self._uses += 1
        self._left = self._uses
        return self

    def use(self) -> Tensor:
        """Return the activation, which is dropped after the last of its uses."""
        value = self.value()
        self._left -= 1
        if self._left == 0:
            self._value, self._left = None, self._uses  # the graph may be kept for another backward pass
        return value

    @torch.no_grad()
    def value(self) -> Tensor:
        """Return the activation, computed when it is first needed.

        Raises:
            RuntimeError: If what it is computed from was written to.
        """
        if self._value is None:
            precise = torch.promote_types(self._mean.dtype, torch.float32)
            mean, invstd = self._mean.to(precise), self._invstd.to(precise)
            weight, bias = (None if x is None else x.value().to(precise) for x in self._affine)
            variance = invstd.square().reciprocal() - self._eps
            out = F.batch_norm(self._source.value(), mean, variance, weight, bias, eps=self._eps)
            if self._term is not None:
                out = out.add_(self._term.value())
            self._value = out.relu_() if self.relu else out
        return self._value


class Recorder:
    """Recipes of a forward pass by their activation's storage. It does not keep the activations alive."""

    def __init__(self) -> None:
        # the weak reference also keeps the storage's address from being reused
        self._recipes: dict[int, tuple[StorageWeakRef, Any, RecomputableActivation]] = {}

    def record(self, out: Tensor, recipe: RecomputableActivation) -> None:
        """Note how ``out`` is recomputed, which the recipe's ReLU is going to overwrite."""
        storage = out.untyped_storage()
        version, *layout = _state(out)
        self._recipes[storage._cdata] = (StorageWeakRef(storage), (version + recipe.relu, *layout), recipe)

    def find(self, x: Tensor) -> RecomputableActivation | None:
        """Return the recipe of ``x``; None if it has none, was written to since or is another view."""
        _, state, recipe = self._recipes.get(x.untyped_storage()._cdata, (None, None, None))
        return recipe if recipe is not None and state == _state(x) else None

    def pack(self, x: Tensor) -> SavedTensor | RecomputableActivation:
        """Return what autograd saves for ``x``."""
        recipe = self.find(x)
        return SavedTensor(x) if recipe is None else recipe.keep()

    def forget(self) -> None:
        """Drop the recipes after the forward pass: autograd holds the recorder as long as any saved tensor."""
        self._recipes.clear()


@contextmanager
def _recording() -> Iterator[None]:
    """Let autograd save recipes where there are any. No effect without gradients, under tracers and torch.func."""
    allowed = getattr(torch._C._autograd, '_saved_tensors_hooks_is_enabled', lambda: True)
    if not torch.is_grad_enabled() or is_tracing() or not allowed():
        yield
        return
    recorder = _active.recorder = Recorder()
    try:
        with saved_tensors_hooks(recorder.pack, lambda saved: saved.use()):
            yield
    finally:
        _active.recorder = None
        recorder.forget()


def _state(x: Tensor) -> tuple[Any, ...]:
    return x._version, x.dtype, x.shape, x.stride(), x.storage_offset()


def _is_recomputable(norm: nn.Module, act: nn.Module | None) -> TypeGuard[_BatchNorm]:
    # hooks of the activation may write to its result or replace it: then the recorder does not find it
    plain_act = act is None or (type(act) is nn.ReLU and act.inplace and 'forward' not in act.__dict__)
    return plain_act and has_batch_statistics(norm) and not has_hooks(norm)


def _statistics(norm: _BatchNorm, source: Tensor, node: Any) -> tuple[Tensor, Tensor] | None:
    """Return mean and inverse standard deviation of a norm's input, as its node in the graph saved them.

    For unknown node types they are computed. None if that takes the inputs of other processes.
    """
    name = type(node).__name__
    if name in ('NativeBatchNormBackward0', 'CudnnBatchNormBackward0', 'MiopenBatchNormBackward0'):
        return node._saved_result1, node._saved_result2
    if name == 'SyncBatchNormBackward':
        _, _, mean, invstd, *_ = node.saved_tensors
        return mean.flatten(), invstd.flatten()
    if isinstance(norm, nn.SyncBatchNorm):
        return None
    x = source.detach()
    variance, mean = torch.var_mean(x.to(torch.promote_types(x.dtype, torch.float32)), dim=(0, 2, 3), unbiased=False)
    return mean, (variance + norm.eps).rsqrt()

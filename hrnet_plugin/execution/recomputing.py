"""Training that saves only outputs of convolutions and fused feature maps, and recomputes other activations.

A batch norm saves its input for the backward pass. The next convolution also saves its input, although batch norm,
residual sum and ReLU can recompute it cheaply from the tensor that is already saved. So autograd saves the instructions
instead. No convolution runs twice. The batch statistics are saved, and neither computed nor counted twice.
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

from hrnet_plugin.execution.folding import FoldedExecution, can_fold, has_batch_statistics
from hrnet_plugin.models.layers.execution import EXECUTIONS, add_and_activate
from hrnet_plugin.models.layers.module_checks import has_hooks
from hrnet_plugin.tracing import is_tracing

_active = threading.local()


@EXECUTIONS.register_module(name='recomputing')
class RecomputingExecution(FoldedExecution):
    """Execution that recomputes activations in the backward pass. No effect under tracers."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """Apply convolution, norm, residual sum and activation. See :meth:`Execution.conv_norm_act`."""
        recorder: Recorder | None = getattr(_active, 'recorder', None)
        if recorder is None or can_fold(conv, norm):
            return super().conv_norm_act(conv, norm, act, x, residual)
        source = conv(x)
        out = norm(source)
        batch_norm = norm if _is_recomputable(norm, act) else None
        statistics = None if batch_norm is None else _statistics(batch_norm, source, out.grad_fn)
        term = None if residual is None else recorder.find(residual) or SavedTensor(residual)
        out = add_and_activate(out, None, residual)
        if batch_norm is not None and statistics is not None and out.requires_grad:
            # must precede the activation, which saves its output
            recorder.record(out, RecomputableActivation(source, statistics, batch_norm, term, act is not None))
        return add_and_activate(out, act, None)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """Run a function of feature maps while recording. See :meth:`FoldedExecution.run`."""
        with _recording():
            return super().run(function, inputs, plain_convs)


class SavedTensor:
    """Tensor for the backward pass, with a check that it was not modified in place.

    Autograd skips this check for tensors with saved-tensor hooks. The tensor is detached to avoid a reference cycle
    with the graph.
    """

    def __init__(self, x: Tensor) -> None:
        self._x, self._version = x.detach(), x._version

    def value(self) -> Tensor:
        """Return the tensor.

        Raises:
            RuntimeError: If it was modified in place.
        """
        if self._x._version != self._version:
            raise RuntimeError(
                'one of the variables needed for gradient computation has been modified by an inplace operation: '
                f'{self._x.dtype} {list(self._x.shape)} is at version {self._x._version}, expected {self._version}')
        return self._x

    use = value


class RecomputableActivation:
    """Activation that can be recomputed: batch norm of a convolution's output, then residual sum, then ReLU.

    Args:
        source: Output of the convolution.
        statistics: Mean and inverse standard deviation of the batch, shape (C, ) each.
        norm: Batch norm whose affine parameters are applied.
        term: Summand of the normalized ``source``, or None.
        relu: Whether to apply ReLU.
    """

    def __init__(self, source: Tensor, statistics: tuple[Tensor, Tensor], norm: _BatchNorm,
                 term: SavedTensor | RecomputableActivation | None, relu: bool) -> None:
        self._source, self._eps = SavedTensor(source), norm.eps
        self._mean, self._invstd = (x.detach() for x in statistics)
        self._affine = [None if x is None else SavedTensor(x) for x in (norm.weight, norm.bias)]
        self._term, self.relu = term, relu
        self._value: Tensor | None = None
        self._uses, self._remaining = 0, 0

    def add_use(self) -> RecomputableActivation:
        """Count a use in the backward pass. Return the object itself, for autograd to save."""
        self._uses += 1
        self._remaining = self._uses
        return self

    def use(self) -> Tensor:
        """Return the activation. It is freed after the last use."""
        value = self.value()
        self._remaining -= 1
        if self._remaining == 0:
            self._value, self._remaining = None, self._uses  # for another backward pass with retain_graph=True
        return value

    @torch.no_grad()
    def value(self) -> Tensor:
        """Return the activation, computed on first use.

        Raises:
            RuntimeError: If an input of the computation was modified in place.
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
    """Recomputable activations of a forward pass by storage. The activations themselves are not kept alive."""

    def __init__(self) -> None:
        # the weak reference also keeps the address of the storage from being reused
        self._by_storage: dict[int, tuple[StorageWeakRef, Any, RecomputableActivation]] = {}

    def record(self, out: Tensor, activation: RecomputableActivation) -> None:
        """Register how to recompute ``out``, after its in-place ReLU if it has one."""
        storage = out.untyped_storage()
        version, *layout = _state(out)
        self._by_storage[storage._cdata] = (StorageWeakRef(storage), (version + activation.relu, *layout), activation)

    def find(self, x: Tensor) -> RecomputableActivation | None:
        """Return the recomputable activation of ``x``, or None if ``x`` is unknown, modified or another view."""
        _, state, activation = self._by_storage.get(x.untyped_storage()._cdata, (None, None, None))
        return activation if activation is not None and state == _state(x) else None

    def pack(self, x: Tensor) -> SavedTensor | RecomputableActivation:
        """Return the object that autograd saves for ``x``."""
        activation = self.find(x)
        return SavedTensor(x) if activation is None else activation.add_use()

    def clear(self) -> None:
        """Forget all activations after the forward pass, since saved tensors keep the recorder alive."""
        self._by_storage.clear()


@contextmanager
def _recording() -> Iterator[None]:
    """Save recomputable activations instead of tensors. No effect without gradients, under tracers or torch.func."""
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
        recorder.clear()


def _state(x: Tensor) -> tuple[Any, ...]:
    return x._version, x.dtype, x.shape, x.stride(), x.storage_offset()


def _is_recomputable(norm: nn.Module, act: nn.Module | None) -> TypeGuard[_BatchNorm]:
    # if a hook modifies or replaces the output of the activation, the recorder does not find it
    plain_act = act is None or (type(act) is nn.ReLU and act.inplace and 'forward' not in act.__dict__)
    return plain_act and has_batch_statistics(norm) and not has_hooks(norm)


def _statistics(norm: _BatchNorm, source: Tensor, node: Any) -> tuple[Tensor, Tensor] | None:
    """Return mean and inverse standard deviation of a norm's input, shape (C, ) each.

    They are read from the autograd node of the norm, or computed for unknown node types. None for a SyncBatchNorm with
    an unknown node type, whose statistics include other processes.
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

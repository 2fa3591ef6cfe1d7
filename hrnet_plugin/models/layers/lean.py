"""Training that keeps convolutions' outputs and fused maps only, and computes what lies between them again.

A batch norm keeps its input for the backward pass, and the convolution behind it keeps what norm, sum and ReLU make of
that input. The latter is cheap to make again: so, in its place, autograd is given a recipe. Nothing is convolved twice,
and the norms' statistics, which are kept, are neither computed nor counted twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional as F

from hrnet_plugin.models.layers.folding import has_batch_statistics, is_traced, is_watched

_active = threading.local()


class Kept:
    """A tensor that is needed later as it is now.

    Autograd leaves it to hooks to see that nothing was written over. The tensor is detached: else it would hold the
    graph that holds it.
    """

    def __init__(self, x: Tensor) -> None:
        self._x, self._version = x.detach(), x._version

    def value(self) -> Tensor:
        """The tensor.

        Raises:
            RuntimeError: If it was written to.
        """
        if self._x._version != self._version:
            raise RuntimeError(
                'one of the variables needed for gradient computation has been modified by an inplace operation: '
                f'{self._x.dtype} {list(self._x.shape)} is at version {self._x._version}, expected {self._version}')
        return self._x

    use = value


class Recipe:
    """A map as norm of a convolution's output, then sums, then ReLU.

    Args:
        out: The norm's output.
        source: The convolution's output.
        mean, invstd: Statistics of the norm in that forward pass.
        norm: Whose affine parameters are applied.
    """

    def __init__(self, out: Tensor, source: Tensor, mean: Tensor, invstd: Tensor, norm: Any) -> None:
        self._source, self._mean, self._invstd = Kept(source), mean.detach(), invstd.detach()
        self._weight, self._bias = (None if x is None else Kept(x) for x in (norm.weight, norm.bias))
        self._eps = norm.eps
        self._terms: list[Kept | Recipe] = []
        self._relu = False
        self._layout = _layout(out)
        self._version = out._version
        self._value: Tensor | None = None
        self._kept, self._left = 0, 0

    def is_of(self, x: Tensor) -> bool:
        """Whether this is how ``x`` came about, which has the storage that the recipe was recorded for.

        It is not if the storage was written to otherwise than noted, or if ``x`` is another view of it.
        """
        return self._version == x._version and self._layout == _layout(x)

    def then_add(self, term: Kept | Recipe) -> None:
        """Note a sum, which is going to be taken in place."""
        self._terms.append(term)
        self._version += 1

    def then_relu(self) -> None:
        """Note a ReLU, which is going to be applied in place."""
        self._relu = True
        self._version += 1

    def keep(self) -> Recipe:
        """In the place of the map, once for each use of it in the backward pass."""
        self._kept += 1
        self._left = self._kept
        return self

    def use(self) -> Tensor:
        """The map, which is dropped after the last of its uses."""
        value = self.value()
        self._left -= 1
        if self._left == 0:
            self._value, self._left = None, self._kept  # of a graph that is kept for another backward pass
        return value

    @torch.no_grad()
    def value(self) -> Tensor:
        """The map, made when it is first wanted.

        Raises:
            RuntimeError: If what it is made of was written to.
        """
        if self._value is None:
            precise = torch.promote_types(self._mean.dtype, torch.float32)
            mean, invstd = self._mean.to(precise), self._invstd.to(precise)
            weight, bias = (None if x is None else x.value().to(precise) for x in (self._weight, self._bias))
            variance = invstd.square().reciprocal() - self._eps
            out = F.batch_norm(self._source.value(), mean, variance, weight, bias, eps=self._eps)
            for term in self._terms:
                out = out.add_(term.value())
            self._value = out.relu_() if self._relu else out
        return self._value


def _layout(x: Tensor) -> tuple[Any, ...]:
    return x.dtype, x.shape, x.stride(), x.storage_offset()


class Recorder:
    """Which maps of a forward pass have recipes, by their storage; it does not keep the maps alive."""

    def __init__(self) -> None:
        # the weak reference also keeps the storage's address from being given to another
        self._recipes: dict[int, tuple[StorageWeakRef, Recipe]] = {}

    def find(self, x: Tensor) -> Recipe | None:
        _, recipe = self._recipes.get(x.untyped_storage()._cdata, (None, None))
        return recipe if recipe is not None and recipe.is_of(x) else None

    def record(self, out: Tensor, recipe: Recipe) -> None:
        storage = out.untyped_storage()
        self._recipes[storage._cdata] = (StorageWeakRef(storage), recipe)

    def pack(self, x: Tensor) -> Kept | Recipe:
        """What autograd keeps for ``x``."""
        recipe = self.find(x)
        return Kept(x) if recipe is None else recipe.keep()

    def forget(self) -> None:
        """After the forward pass: autograd holds the recorder for as long as any map is kept."""
        self._recipes.clear()


@contextmanager
def lean_memory(on: bool) -> Iterator[None]:
    """What runs in this context keeps recipes where it can, if ``on``; compilers keep what they want."""
    if not on or not torch.is_grad_enabled() or is_traced() or not _hooks_are_allowed():
        yield
        return
    recorder = _active.recorder = Recorder()
    try:
        with saved_tensors_hooks(recorder.pack, lambda kept: kept.use()):
            yield
    finally:
        _active.recorder = None
        recorder.forget()


def normalised(norm: nn.Module, source: Tensor) -> Tensor:
    """``norm(source)``, noted for what is kept of it."""
    out: Tensor = norm(source)
    recorder = _recorder()
    if recorder is not None and out.requires_grad and has_batch_statistics(norm) and not is_watched(norm):
        statistics = _statistics(norm, source, out.grad_fn)
        if statistics is not None:
            recorder.record(out, Recipe(out, source, *statistics, norm))
    return out


def add_(total: Tensor, term: Tensor) -> Tensor:
    """``total.add_(term)``, noted for what is kept of it."""
    recorder = _recorder()
    recipe = None if recorder is None else recorder.find(total)
    if recorder is not None and recipe is not None:
        recipe.then_add(recorder.find(term) or Kept(term))
    return total.add_(term)


def relu_(x: Tensor, relu: Callable[[Tensor], Tensor] = F.relu_) -> Tensor:
    """``relu(x)``, which is in place, noted for what is kept of it."""
    recorder = _recorder()
    recipe = None if recorder is None else recorder.find(x)
    if recipe is not None:
        recipe.then_relu()
    return relu(x)


def _hooks_are_allowed() -> bool:
    """Not inside torch.func's transformations."""
    return getattr(torch._C._autograd, '_saved_tensors_hooks_is_enabled', lambda: True)()


def _recorder() -> Recorder | None:
    return getattr(_active, 'recorder', None)


def _statistics(norm: nn.Module, source: Tensor, node: Any) -> tuple[Tensor, Tensor] | None:
    """Mean and inverse standard deviation of a norm's input, as its node in the graph keeps them.

    Of a node of a kind that is not known here they are computed; None if that takes other processes' inputs, too.
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
    return mean, (variance + norm.eps).rsqrt()  # type: ignore[operator]

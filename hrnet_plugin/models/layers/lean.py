"""Training that keeps the convolutions' outputs only, and computes what lies between two of them again.

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

from hrnet_plugin.models.layers.folding import has_batch_statistics, is_traced

_active = threading.local()


class Recipe:
    """A map as norm of a convolution's output, then sums, then ReLU.

    Args:
        source: The convolution's output.
        mean, invstd: Statistics of the norm in that forward pass.
        norm: Whose affine parameters are applied.
    """

    def __init__(self, source: Tensor, mean: Tensor, invstd: Tensor, norm: Any) -> None:
        self._source, self._mean, self._invstd = source.detach(), mean.detach(), invstd.detach()
        self._weight, self._bias = (None if x is None else x.detach() for x in (norm.weight, norm.bias))
        self._eps = norm.eps
        self._terms: list[Tensor | Recipe] = []
        self._relu = False
        self.version = 0  # of the map, by autograd's count of writes: other writes than those noted make it void
        self._value: Tensor | None = None
        self._kept, self._left = 0, 0

    def then_add(self, term: Tensor | Recipe) -> None:
        """Note a sum, which is going to be taken in place."""
        self._terms.append(term)
        self.version += 1

    def then_relu(self) -> None:
        """Note a ReLU, which is going to be applied in place."""
        self._relu = True
        self.version += 1

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
        """The map, made when it is first wanted."""
        if self._value is None:
            variance = self._invstd.square().reciprocal() - self._eps
            out = F.batch_norm(self._source, self._mean, variance, self._weight, self._bias, eps=self._eps)
            for term in self._terms:
                out = out.add_(term.value() if isinstance(term, Recipe) else term)
            self._value = out.relu_() if self._relu else out
        return self._value


class Recorder:
    """Which maps of a forward pass have recipes, by their storage; it keeps none of them alive."""

    def __init__(self) -> None:
        # the weak reference also keeps the storage's address from being given to another
        self._recipes: dict[int, tuple[StorageWeakRef, Recipe]] = {}

    def find(self, x: Tensor) -> Recipe | None:
        _, recipe = self._recipes.get(x.untyped_storage()._cdata, (None, None))
        return recipe if recipe is not None and recipe.version == x._version else None

    def record(self, out: Tensor, recipe: Recipe) -> None:
        storage = out.untyped_storage()
        recipe.version = out._version
        self._recipes[storage._cdata] = (StorageWeakRef(storage), recipe)

    def pack(self, x: Tensor) -> Tensor | Recipe:
        """What autograd keeps for ``x``."""
        recipe = self.find(x)
        return x if recipe is None else recipe.keep()


def unpack(kept: Tensor | Recipe) -> Tensor:
    """What autograd gets for what it kept."""
    return kept.use() if isinstance(kept, Recipe) else kept


@contextmanager
def lean_memory(on: bool) -> Iterator[None]:
    """What runs in this context keeps recipes where it can, if ``on``; compilers keep what they want."""
    if not on or not torch.is_grad_enabled() or is_traced():
        yield
        return
    recorder = _active.recorder = Recorder()
    try:
        with saved_tensors_hooks(recorder.pack, unpack):
            yield
    finally:
        _active.recorder = None


def normalised(norm: nn.Module, source: Tensor) -> Tensor:
    """``norm(source)``, noted for what is kept of it."""
    out: Tensor = norm(source)
    recorder = _recorder()
    if recorder is not None and has_batch_statistics(norm) and out.requires_grad:
        statistics = _statistics(out.grad_fn)
        if statistics is not None:
            recorder.record(out, Recipe(source, *statistics, norm))
    return out


def add_(total: Tensor, term: Tensor) -> Tensor:
    """``total.add_(term)``, noted for what is kept of it."""
    recorder = _recorder()
    recipe = None if recorder is None else recorder.find(total)
    if recorder is not None and recipe is not None:
        recipe.then_add(recorder.find(term) or term.detach())
    return total.add_(term)


def relu_(x: Tensor, relu: Callable[[Tensor], Tensor] = F.relu_) -> Tensor:
    """``relu(x)``, which is in place, noted for what is kept of it."""
    recorder = _recorder()
    recipe = None if recorder is None else recorder.find(x)
    if recipe is not None:
        recipe.then_relu()
    return relu(x)


def _recorder() -> Recorder | None:
    return getattr(_active, 'recorder', None)


def _statistics(node: Any) -> tuple[Tensor, Tensor] | None:
    """Mean and inverse standard deviation that a norm's node in the graph keeps; None if it is one of another kind."""
    name = type(node).__name__
    if name in ('NativeBatchNormBackward0', 'CudnnBatchNormBackward0', 'MiopenBatchNormBackward0'):
        return node._saved_result1, node._saved_result2
    if name == 'SyncBatchNormBackward':
        _, _, mean, invstd, *_ = node.saved_tensors
        return mean.flatten(), invstd.flatten()
    return None

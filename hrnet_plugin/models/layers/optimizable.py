"""Modules whose inference can be delegated to a compiled forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from hrnet_plugin.tracing import is_tracing

if TYPE_CHECKING:
    from typing_extensions import Self

Inputs = TypeVar('Inputs', Tensor, Sequence[Tensor])


class OptimizedForward(Protocol):
    """Compiled forward of a module."""

    def __call__(self, module: Optimizable[Inputs], inputs: Inputs) -> tuple[Tensor, ...] | None:
        """Compute the outputs, or return None if the module has to run eagerly."""

    def invalidate(self) -> None:
        """Discard the compiled forward. The next call compiles again."""


# Compiled forwards by module. They are not attributes, so state dicts, copies and pickles do not contain them.
OPTIMIZED: WeakKeyDictionary[nn.Module, OptimizedForward] = WeakKeyDictionary()


class Optimizable(nn.Module, Generic[Inputs]):
    """Module with an ``eager_forward`` that inference engines can compile."""

    num_inputs: int | None = None  # length of the input sequence, or None for a single tensor

    def eager_forward(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Compute the outputs from one tensor or a sequence, with one call per module and use."""
        raise NotImplementedError

    def optimized_or_eager(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Compute the outputs with the compiled forward, or eagerly if there is none or it returns None."""
        optimized = None if is_tracing() else OPTIMIZED.get(self)
        outs = None if optimized is None else optimized(self, inputs)
        return self.eager_forward(inputs) if outs is None else outs

    def train(self, mode: bool = True) -> Self:
        """Set the mode, invalidate the compiled forward and return self."""
        optimized = OPTIMIZED.get(self)
        if optimized is not None:
            optimized.invalidate()
        return super().train(mode)


OptimizableModule = Optimizable[Tensor] | Optimizable[Sequence[Tensor]]

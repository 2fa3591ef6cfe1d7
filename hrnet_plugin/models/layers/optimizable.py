"""Networks and necks whose inference an engine may take over."""

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
        """Compute the outputs; None where the module has to run eagerly."""

    def forget(self) -> None:
        """Compile anew at the next call."""


# Compiled forwards by module. They live outside of the modules: state dicts, copies and pickles do not see them.
OPTIMIZED: WeakKeyDictionary[nn.Module, OptimizedForward] = WeakKeyDictionary()


class Optimizable(nn.Module, Generic[Inputs]):
    """Module that computes its outputs in ``eager_forward``, which engines compile."""

    num_inputs: int | None = None  # of the sequence that forward takes; None where it takes one tensor

    def eager_forward(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Compute the outputs from feature maps, or from one, with one call per module and use."""
        raise NotImplementedError

    def optimized_or_eager(self, inputs: Inputs) -> tuple[Tensor, ...]:
        """Compute the outputs by the module's compiled forward, or eagerly where there is none or it declines."""
        optimized = None if is_tracing() else OPTIMIZED.get(self)
        outs = None if optimized is None else optimized(self, inputs)
        return self.eager_forward(inputs) if outs is None else outs

    def train(self, mode: bool = True) -> Self:
        """Set the mode, and let a compiled forward be compiled anew. Returns self."""
        optimized = OPTIMIZED.get(self)
        if optimized is not None:
            optimized.forget()
        return super().train(mode)


OptimizableModule = Optimizable[Tensor] | Optimizable[Sequence[Tensor]]

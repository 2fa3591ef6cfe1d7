"""Networks and necks whose inference an engine may take over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from hrnet_plugin.tracing import is_tracing

# Compiled forwards by module. They live outside of the modules: state dicts, copies and pickles do not see them.
OPTIMIZED: WeakKeyDictionary[nn.Module, Callable[[Any, Any], tuple[Tensor, ...] | None]] = WeakKeyDictionary()


class Optimizable(nn.Module):
    """Module that computes its outputs in ``eager_forward``, which engines compile."""

    num_inputs: int | None = None  # of the sequence that forward takes; None where it takes one tensor

    def eager_forward(self, inputs: Any) -> tuple[Tensor, ...]:
        """Compute the outputs from feature maps, or from one, with one call per module and use."""
        raise NotImplementedError

    def optimized_or_eager(self, inputs: Any) -> tuple[Tensor, ...]:
        """Compute the outputs by the module's compiled forward, or eagerly where there is none or it declines."""
        optimized = None if is_tracing() else OPTIMIZED.get(self)
        outs = None if optimized is None else optimized(self, inputs)
        return self.eager_forward(inputs) if outs is None else outs

    def train(self, mode: bool = True) -> Any:
        """Set the mode, and let a compiled forward be compiled anew. Returns self."""
        optimized: Any = OPTIMIZED.get(self)
        if optimized is not None:
            optimized.forget()
        return super().train(mode)

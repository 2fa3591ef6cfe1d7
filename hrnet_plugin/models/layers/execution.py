"""The seam between layers and the ways to execute them.

Layers call an :class:`Execution` for each unit of convolution, norm and activation. This module holds the plain one,
which calls the modules as they are declared. Variants that save time or memory live outside of ``models`` and are
looked up by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from mmengine.registry import Registry
from torch import Tensor, nn

EXECUTIONS = Registry('execution', scope='hrnet_plugin', locations=['hrnet_plugin.execution'])


@EXECUTIONS.register_module(name='plain')
class Execution:
    """Execution of every module as it is declared."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """Compute ``act(norm(conv(x)) + residual)``.

        Args:
            conv: Convolution.
            norm: Norm layer; the result of norm and convolution is overwritten.
            act: Activation; None for none.
            x: Feature map, shape (N, C, H, W).
            residual: Added before the activation, of the result's shape; None for none.
        """
        return finish(norm(conv(x)), act, residual)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """Return ``function(inputs)``, where ``function`` is a whole network or neck.

        Args:
            function: Maps feature maps to feature maps.
            inputs: Feature maps, each of shape (N, C, H, W).
            plain_convs: Whether all its convolutions are torch's own.
        """
        return function(inputs)


def finish(out: Tensor, act: nn.Module | None, residual: Tensor | None) -> Tensor:
    """Add ``residual`` to ``out`` in place, then apply ``act``."""
    if residual is not None:
        out = out.add_(residual)
    return out if act is None else act(out)


@cache
def get_execution(name: str) -> Execution:
    """Return the :class:`Execution` registered under ``name``."""
    found = EXECUTIONS.get(name)
    if found is None:
        raise KeyError(f'execution must be one of {sorted(EXECUTIONS.module_dict)}, got {name!r}')
    return found()

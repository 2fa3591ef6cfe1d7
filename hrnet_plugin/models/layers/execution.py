"""Interface between layers and their execution strategies.

Layers call an :class:`Execution` for each unit of convolution, norm and activation. This module contains the
strategy 'plain', which calls each module once. Strategies that save time or memory are registered in
``hrnet_plugin.execution`` and selected by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from mmengine.registry import Registry
from torch import Tensor, nn

EXECUTIONS = Registry('execution', scope='hrnet_plugin', locations=['hrnet_plugin.execution'])


@EXECUTIONS.register_module(name='plain')
class Execution:
    """Execution strategy that calls each module once, without rewriting."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """Compute ``act(norm(conv(x)) + residual)``.

        Args:
            conv: Convolution.
            norm: Norm layer. Its output may be modified in place.
            act: Activation, or None.
            x: Feature map, shape (N, C, H, W).
            residual: Tensor to add before the activation, with the shape of the result, or None.
        """
        return add_and_activate(norm(conv(x)), act, residual)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """Return ``function(inputs)``, where ``function`` is a whole network or neck.

        Args:
            function: Function from feature maps to feature maps.
            inputs: Images or feature maps, each of shape (N, C, H, W).
            plain_convs: Whether all convolutions of the module are ``torch.nn.Conv2d``.
        """
        return function(inputs)


def add_and_activate(out: Tensor, act: nn.Module | None, residual: Tensor | None) -> Tensor:
    """Add ``residual``, if any, to ``out`` in place, then apply ``act``, if any."""
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

"""Execution of operators outside of torch.compile and autocast, and without deterministic algorithms."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

Arguments = ParamSpec('Arguments')
Result = TypeVar('Result')

AUTOCAST_DEVICES = ('cpu', 'cuda')
# On other devices, PyTorch raises an error for the gradients of torchvision's operators and of grid sampling.
DETERMINISTIC_DEVICES = ('cpu', )


def eager(operator: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Run an operator outside of torch.compile, with a graph break, and outside of autocast.

    mmcv calls operators in ``torch.autograd.Function``. Dynamo would trace them there and lose their in-place writes to
    arguments. Autocast would change the precision of matrix products in torchvision's gradients.
    """
    @wraps(operator)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        device = next(value.device for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        with torch.autocast(device.type, enabled=False) if device.type in AUTOCAST_DEVICES else nullcontext():
            return operator(*args, **kwargs)

    return torch.compiler.disable(run)


@contextmanager
def nondeterministic(device: torch.device) -> Iterator[None]:
    """Allow operators without a deterministic implementation on a device, and warn once.

    A compiled mmcv also runs its gradients under ``torch.use_deterministic_algorithms(True)``.
    """
    if device.type in DETERMINISTIC_DEVICES or not torch.are_deterministic_algorithms_enabled():
        yield
        return
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    _warn_once()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True, warn_only=warn_only)


@cache
def _warn_once() -> None:
    warnings.warn('The gradients of RoIAlign, RoIPool, deformable convolution and deformable attention have no '
                  'deterministic implementation on this device. They run as with a compiled mmcv.', stacklevel=4)

"""Gradient accumulation of optimizer wrappers."""

from __future__ import annotations

import math

from mmengine.optim import OptimWrapper, OptimWrapperDict


def accumulation_counts(optim_wrapper: OptimWrapper | OptimWrapperDict) -> list[int]:
    """Return the number of batches per step of each optimizer."""
    wrappers = list(optim_wrapper.values()) if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]
    return [int(getattr(wrapper, '_accumulative_counts', 1)) for wrapper in wrappers]


def batches_per_step(optim_wrapper: OptimWrapper | OptimWrapperDict) -> int:
    """Return the number of batches after which all optimizers have made whole steps."""
    return math.lcm(*accumulation_counts(optim_wrapper))

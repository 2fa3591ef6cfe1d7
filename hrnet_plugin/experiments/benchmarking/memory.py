"""What a forward pass leaves behind for the backward pass, and what a pass takes at its peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

T = TypeVar('T')


def kept_bytes(run: Callable[[], Iterable[Tensor]], device: str = 'cpu') -> int:
    """Bytes that are held from after a forward pass until its backward pass, however they are held.

    What was allocated in the pass and not freed when its outputs are, but the graph behind them is not.

    Args:
        run: The forward pass.
        device: On which it runs.
    """
    graph: list[Any] = []
    left, _ = _allocated(lambda: graph.extend(out.grad_fn for out in run()), device)
    return left


def peak_bytes(run: Callable[[], T], device: str = 'cpu') -> int:
    """Most bytes that a function holds at a time, beyond those that were held before."""
    _, peak = _allocated(run, device)
    return peak


def _allocated(run: Callable[[], T], device: str) -> tuple[int, int]:
    """Bytes allocated and not freed by a function, at its end and at their most."""
    if device != 'cpu':
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        torch.cuda.synchronize(device)
        return torch.cuda.memory_allocated(device) - before, torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events: Any = profiler.profiler.kineto_results.events()
    changes = [(event.start_ns() if hasattr(event, 'start_ns') else event.start_us(), event.nbytes())
               for event in events if event.name() == '[memory]']
    total = peak = 0
    for _, change in sorted(changes, key=lambda entry: entry[0]):
        total += change
        peak = max(peak, total)
    return total, peak

"""Memory saved for the backward pass, and peak memory of a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

T = TypeVar('T')


def saved_bytes(run: Callable[[], Iterable[Tensor]], device: str = 'cpu') -> int:
    """Measure the memory in bytes that a forward pass saves for its backward pass.

    This is the memory that remains allocated when the outputs are freed and the autograd graph is not. It includes
    tensors that hooks and custom functions save.

    Args:
        run: Forward pass, which returns its outputs.
        device: Torch device of the pass.
    """
    graph: list[Any] = []
    left, _ = _allocated(lambda: graph.extend(out.grad_fn for out in run()), device)
    return left


def peak_bytes(run: Callable[[], T], device: str = 'cpu') -> int:
    """Measure the peak memory of a function in bytes, beyond the memory allocated before.

    Args:
        run: Function to call.
        device: Torch device of the function.
    """
    _, peak = _allocated(run, device)
    return peak


def _allocated(run: Callable[[], T], device: str) -> tuple[int, int]:
    """Return the bytes that a function has allocated and not freed, at its end and at the peak."""
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

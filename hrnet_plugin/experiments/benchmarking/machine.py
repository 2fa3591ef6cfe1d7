"""Rates that a machine reaches at best, in convolutions and in memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.benchmark import Timer

from hrnet_plugin.execution.memory_format import to_channels_last
from hrnet_plugin.execution.packed_conv import ConvWeights, packed_conv_class


@dataclass(frozen=True)
class Machine:
    """Rates that were reached.

    Attributes:
        macs: Multiply-adds per second of large 3x3 convolutions.
        bytes: Bytes read and written per second while large tensors are added in place.
    """
    macs: float
    bytes: float


def probe(device: str = 'cpu', dtype: torch.dtype = torch.float32, seconds: float = 1.0) -> Machine:
    """Measure a machine.

    Args:
        device: Which.
        dtype: Of the values.
        seconds: How long each of the three probes is repeated.
    """
    size = 96 if device == 'cpu' else 192
    convs = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for channels in (64, 128))
    return Machine(max(conv_rate(conv, (size, size), device, dtype, seconds) for conv in convs),
                   _byte_rate(device, dtype, seconds))


@torch.no_grad()
def conv_rate(conv: nn.Conv2d, size: tuple[int, int], device: str = 'cpu', dtype: torch.dtype = torch.float32,
              seconds: float = 1.0, relu: bool = False) -> float:
    """Return multiply-adds per second of the torch engine's convolution of one feature map of ``size``."""
    x = to_channels_last(torch.randn(1, conv.in_channels, *size, device=device, dtype=dtype))
    run = packed_conv_class(x.device, dtype)(ConvWeights.of(conv.to(device)), dtype)
    taken = Timer('run(x, relu=relu)', globals=dict(run=run, x=x, relu=relu), num_threads=torch.get_num_threads())
    return conv.weight.numel() * run(x)[0, 0].numel() / taken.blocked_autorange(min_run_time=seconds).median


@torch.no_grad()
def _byte_rate(device: str, dtype: torch.dtype, seconds: float) -> float:
    x, y = (torch.zeros(2**25, device=device, dtype=dtype) for _ in range(2))  # far larger than any cache
    taken = Timer('x.add_(y)', globals=dict(x=x, y=y), num_threads=torch.get_num_threads())
    return 3 * x.numel() * x.element_size() / taken.blocked_autorange(min_run_time=seconds).median

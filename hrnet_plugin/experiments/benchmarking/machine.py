"""Peak rates of a machine, in convolutions and in memory bandwidth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.benchmark import Timer

from hrnet_plugin.execution.memory_format import to_channels_last
from hrnet_plugin.execution.packed_conv import ConvWeights, packed_conv_class


@dataclass(frozen=True)
class Machine:
    """Measured peak rates of a machine.

    Attributes:
        macs: Multiply-adds (MACs) per second in large 3x3 convolutions.
        bytes: Bytes read and written per second in the in-place sum of large tensors.
    """
    macs: float
    bytes: float


def measure_machine(device: str = 'cpu', dtype: torch.dtype = torch.float32, seconds: float = 1.0) -> Machine:
    """Measure the peak rates of a machine.

    Args:
        device: Torch device.
        dtype: Type of the tensors.
        seconds: Minimum duration of each of the three measurements.
    """
    size = 96 if device == 'cpu' else 192
    convs = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for channels in (64, 128))
    return Machine(max(conv_rate(conv, (size, size), device, dtype, seconds) for conv in convs),
                   _byte_rate(device, dtype, seconds))


@torch.no_grad()
def conv_rate(conv: nn.Conv2d, size: tuple[int, int], device: str = 'cpu', dtype: torch.dtype = torch.float32,
              seconds: float = 1.0, relu: bool = False) -> float:
    """Measure the rate of a convolution in the torch engine, in multiply-adds per second.

    Args:
        conv: Convolution.
        size: Height and width of the input feature map. The batch size is 1.
        device: Torch device.
        dtype: Type of the tensors.
        seconds: Minimum duration of the measurement.
        relu: Whether to fuse a ReLU.
    """
    x = to_channels_last(torch.randn(1, conv.in_channels, *size, device=device, dtype=dtype))
    run = packed_conv_class(x.device, dtype)(ConvWeights.of(conv.to(device)), dtype)
    timer = Timer('run(x, relu=relu)', globals=dict(run=run, x=x, relu=relu), num_threads=torch.get_num_threads())
    return conv.weight.numel() * run(x)[0, 0].numel() / timer.blocked_autorange(min_run_time=seconds).median


@torch.no_grad()
def _byte_rate(device: str, dtype: torch.dtype, seconds: float) -> float:
    x, y = (torch.zeros(2**25, device=device, dtype=dtype) for _ in range(2))  # far larger than any cache
    timer = Timer('x.add_(y)', globals=dict(x=x, y=y), num_threads=torch.get_num_threads())
    return 3 * x.numel() * x.element_size() / timer.blocked_autorange(min_run_time=seconds).median

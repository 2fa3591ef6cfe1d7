"""What a machine can do: the rate at which it convolves and copies at best, and what it is."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.benchmark import Timer

from hrnet_plugin.models.layers.memory_format import channels_last
from hrnet_plugin.runtime.fused_conv import Kernel, fused_conv


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
    return Machine(max(_conv_rate(channels, device, dtype, seconds) for channels in (64, 128)),
                   _byte_rate(device, dtype, seconds))


@torch.no_grad()
def _conv_rate(channels: int, device: str, dtype: torch.dtype, seconds: float) -> float:
    size = 96 if device == 'cpu' else 192
    x = channels_last(torch.randn(1, channels, size, size, device=device, dtype=dtype))
    kernel = Kernel(torch.randn(channels, channels, 3, 3, device=device, dtype=dtype), None, (1, 1), (1, 1), (1, 1), 1)
    conv = fused_conv(x.device, dtype)(kernel, dtype)
    taken = Timer('conv(x)', globals=dict(conv=conv, x=x), num_threads=torch.get_num_threads())
    return x.numel() * channels * 9 / taken.blocked_autorange(min_run_time=seconds).median


@torch.no_grad()
def _byte_rate(device: str, dtype: torch.dtype, seconds: float) -> float:
    x, y = (torch.zeros(2**25, device=device, dtype=dtype) for _ in range(2))  # far larger than any cache
    taken = Timer('x.add_(y)', globals=dict(x=x, y=y), num_threads=torch.get_num_threads())
    return 3 * x.numel() * x.element_size() / taken.blocked_autorange(min_run_time=seconds).median


def describe(device: str = 'cpu') -> dict[str, Any]:
    """Hardware and versions, for a record of figures."""
    facts: dict[str, Any] = dict(device=device, processor=_processor(), threads=torch.get_num_threads(),
                                 python=platform.python_version(), torch=torch.__version__)
    if device != 'cpu':
        facts.update(gpu=torch.cuda.get_device_name(device), cuda=torch.version.cuda,
                     cudnn=torch.backends.cudnn.version(), tf32=torch.backends.cudnn.allow_tf32)
    return facts


def _processor() -> str:
    info = Path('/proc/cpuinfo')
    if info.is_file():
        lines = info.read_text().splitlines()
        names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
        if names:
            return names[0]
    return platform.processor() or platform.machine()

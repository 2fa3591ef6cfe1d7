"""Memory formats: channels_last inside of a network, contiguous outside.

On CPUs, convolutions of few channels at high resolution, such as HRNet's finest branches, take about half the time in
channels_last. The outputs are contiguous again: other parts of a model, above all mmcv's RoIAlign, silently misread
other formats.
"""

from __future__ import annotations

import torch
from torch import Tensor

_PIXELS = 1024  # transposed at once: a block of them and of their channels stays in a core's cache


def prefers_channels_last(x: Tensor) -> bool:
    """Return True if a network is faster on ``x`` in channels_last: for inference on CPUs, from contiguous inputs."""
    onednn = torch.backends.mkldnn
    return bool(x.device.type == 'cpu' and x.is_contiguous() and not torch.is_grad_enabled()
                and onednn.is_available() and onednn.enabled)


def to_channels_last(x: Tensor) -> Tensor:
    """Convert ``x`` of shape (N, C, H, W) to channels_last."""
    return x.contiguous(memory_format=torch.channels_last)


def to_contiguous(x: Tensor) -> Tensor:
    """Convert ``x`` of shape (N, C, H, W) to contiguous.

    Without gradients on a CPU, each image is transposed as a matrix, block by block. torch's own copy takes several
    times as long.
    """
    if (x.is_contiguous() or x.device.type != 'cpu' or torch.is_grad_enabled()
            or not x.is_contiguous(memory_format=torch.channels_last)):
        return x.contiguous()
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    for source, target in zip(x.permute(0, 2, 3, 1).flatten(1, 2), out.flatten(2)):
        for pixels, columns in zip(source.split(_PIXELS), target.split(_PIXELS, dim=1)):
            columns.copy_(pixels.t())
    return out

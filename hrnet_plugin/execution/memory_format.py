"""Memory formats: channels_last inside a network, contiguous outside.

On CPUs, channels_last halves the time of convolutions with few channels at high resolution, such as those of HRNet's
finest branches. The outputs are contiguous again, because other modules silently misread other formats, above all
mmcv's RoIAlign.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hrnet_plugin.tracing import is_tracing

_PIXELS = 1024  # per transposed block, so that the block fits a core's cache


def prefers_channels_last(x: Tensor) -> bool:
    """Return True if channels_last is faster for ``x``, i.e. for inference on CPUs with contiguous inputs."""
    onednn = torch.backends.mkldnn
    return bool(x.device.type == 'cpu' and x.is_contiguous() and not torch.is_grad_enabled()
                and onednn.is_available() and onednn.enabled)


def to_channels_last(x: Tensor) -> Tensor:
    """Convert ``x`` of shape (N, C, H, W) to channels_last."""
    return x.contiguous(memory_format=torch.channels_last)


def to_contiguous(x: Tensor) -> Tensor:
    """Convert ``x`` of shape (N, C, H, W) to contiguous.

    On CPUs without gradients, each image is transposed as a matrix in blocks, several times faster than torch's copy.
    """
    if (is_tracing() or x.is_contiguous() or x.device.type != 'cpu' or torch.is_grad_enabled()
            or not x.is_contiguous(memory_format=torch.channels_last)):
        return x.contiguous()
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    for source, target in zip(x.permute(0, 2, 3, 1).flatten(1, 2), out.flatten(2)):
        for pixels, columns in zip(source.split(_PIXELS), target.split(_PIXELS, dim=1)):
            columns.copy_(pixels.t())
    return out

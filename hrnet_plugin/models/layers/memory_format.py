"""In which order a network keeps its values in memory: what is quickest inside, and as it came outside.

On CPUs, convolutions of few channels over large maps, which is what HRNet's finest streams are, take about half the
time with the channels of a pixel side by side. What comes out has to be contiguous again: other parts of a model,
mmcv's RoIAlign above all, misread any other order without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hrnet_plugin.models.layers.folding import is_traced

_PIXELS = 1024  # that are turned at once: a block of them and of their channels stays in a core's cache


def pays(x: Tensor) -> bool:
    """Whether a network is quicker on ``x`` with channels last: contiguous images on a CPU, to predict.

    In training the order is the caller's. A compiler decides for itself.
    """
    onednn = torch.backends.mkldnn
    return bool(x.device.type == 'cpu' and x.is_contiguous() and not torch.is_grad_enabled() and not is_traced()
                and onednn.is_available() and onednn.enabled)


def quickest(maps: Sequence[Tensor]) -> Sequence[Tensor]:
    """The maps with channels last where that pays for all of them, else as they are."""
    return [channels_last(x) for x in maps] if all(map(pays, maps)) else maps


def channels_last(x: Tensor) -> Tensor:
    """``x`` of shape (N, C, H, W) with the channels of a pixel side by side in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def contiguous(x: Tensor) -> Tensor:
    """``x`` of shape (N, C, H, W), contiguous.

    Without gradients on a CPU, from channels last, image by image as a matrix that is turned: torch's own copy between
    the two orders takes several times as long.
    """
    if (x.is_contiguous() or x.device.type != 'cpu' or torch.is_grad_enabled() or is_traced()
            or not x.is_contiguous(memory_format=torch.channels_last)):
        return x.contiguous()
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    for source, target in zip(x.permute(0, 2, 3, 1).flatten(1, 2), out.flatten(2)):
        for pixels, columns in zip(source.split(_PIXELS), target.split(_PIXELS, dim=1)):
            columns.copy_(pixels.t())
    return out

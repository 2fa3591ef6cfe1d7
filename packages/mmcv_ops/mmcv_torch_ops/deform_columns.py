"""Chunks of images and sampled columns for deformable convolutions v1 and v2."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mmcv_torch_ops.backend import operators

MAX_COLUMNS = 2**24  # samples per chunk, 64 MB in float32
_OUTSIDE = 1e9  # pixels


def image_chunks(offset: Tensor, weight: Tensor, group: int) -> Iterator[slice]:
    """Yield ranges of images with at most ``MAX_COLUMNS`` samples, or single images.

    Args:
        offset: Offsets, shape (N, ..., OH, OW).
        weight: Kernels, shape (O, C / group, kH, kW).
        group: Number of convolution groups.
    """
    samples = group * weight[0].numel() * offset.shape[2:].numel()
    size = max(MAX_COLUMNS // max(samples, 1), 1)
    for start in range(0, len(offset), size):
        yield slice(start, start + size)


def finite_offsets(offset: Tensor) -> Tensor:
    """Move samples at NaN and infinite offsets outside the feature map, where they are 0 as in mmcv.

    torchvision reads out of bounds for NaN.
    """
    return offset.nan_to_num(-_OUTSIDE, _OUTSIDE, -_OUTSIDE)


def sample_columns(x: Tensor, offset: Tensor, kernel: tuple[int, int], geometry: tuple[int, ...],
                   deformable_group: int) -> Tensor:
    """Sample a feature map at each point of the kernel.

    This is a depthwise deformable convolution with one-hot kernels, each of which selects a point.

    Args:
        x: Feature map, shape (N, C, H, W).
        offset: Offsets (y, x) in pixels, shape (N, 2 * deformable_group * kH * kW, OH, OW).
        kernel: Kernel size (kH, kW).
        geometry: Stride, zero padding and dilation, two values each.
        deformable_group: Number of channel groups with separate offsets.

    Returns:
        Samples, shape (N, C, kH * kW, OH * OW).
    """
    channels, points = x.shape[1], kernel[0] * kernel[1]
    select = torch.eye(points, dtype=x.dtype, device=x.device).view(points, 1, *kernel).repeat(channels, 1, 1, 1)
    columns: Tensor = operators.deform_conv2d(x, select, offset, x.new_zeros(len(x), 1), x.new_zeros(len(select)),
                                              *geometry, channels, deformable_group, False)
    return columns.view(len(x), channels, points, -1)

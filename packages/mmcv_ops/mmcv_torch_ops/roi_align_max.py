"""RoIAlign with the maximum of each bin's samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def max_align(features: Tensor, rois: Tensor, bins: tuple[int, int], spatial_scale: float, sampling_ratio: int,
              aligned: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Find the largest bilinear sample of each bin, and its location.

    Args:
        features: Feature map, shape (N, C, H, W).
        rois: Index of the image and box (x1, y1, x2, y2), shape (R, 5).
        bins: Number of bins vertically and horizontally.
        spatial_scale: Size of the feature map by that of the image.
        sampling_ratio: Samples of a bin per axis, or 0 for one per pixel.
        aligned: Whether pixel centers are at half-integer coordinates.

    Returns:
        Maxima, their y and their x in pixels of the feature map, each of shape (R, C, *bins). RoIs without samples
        have maxima of 0 at (-1, -1).
    """
    starts, steps = _bins(rois, bins, spatial_scale, aligned)
    grids = _grid_sizes(steps, sampling_ratio)
    shape = (len(rois), features.shape[1], *bins)
    maxima, ys, xs = features.new_zeros(shape), features.new_full(shape, -1), features.new_full(shape, -1)
    for i, (image, grid) in enumerate(zip(rois[:, 0].long().tolist(), grids)):
        if min(grid) > 0:
            y, x = (_locations(starts[i, axis], steps[i, axis], bins[axis], grid[axis]) for axis in (0, 1))
            maxima[i], ys[i], xs[i] = _largest_samples(features[image], y, x)
    return maxima, ys, xs


def max_align_backward(grad_output: Tensor, rois: Tensor, ys: Tensor, xs: Tensor, shape: Sequence[int]) -> Tensor:
    """Compute the gradient of the feature map from the locations of the maxima.

    Args:
        grad_output: Gradient of the maxima, shape (R, C, PH, PW).
        rois: Index of the image and box of each RoI, shape (R, 5).
        ys: y of the maxima, shape (R, C, PH, PW). -1 where there is none.
        xs: x of the maxima, shape (R, C, PH, PW).
        shape: Shape of the feature map, (N, C, H, W).
    """
    batch, channels, height, width = shape
    *rows, inside_y = _neighbors(ys.to(grad_output.dtype), height)
    *columns, inside_x = _neighbors(xs.to(grad_output.dtype), width)
    grad = grad_output * (inside_y & inside_x & (ys != -1))
    planes = rois[:, :1].long() * channels + torch.arange(channels, device=rois.device)
    first = planes[:, :, None, None] * height * width
    total = grad.new_zeros(batch * channels * height * width)
    for row, row_weight in zip(rows[:2], rows[2:]):
        for column, column_weight in zip(columns[:2], columns[2:]):
            pixels = first + row * width + column
            total.index_add_(0, pixels.flatten(), (grad * (row_weight * column_weight)).flatten())
    return total.view(batch, channels, height, width)


def _bins(rois: Tensor, bins: tuple[int, int], spatial_scale: float, aligned: bool) -> tuple[Tensor, Tensor]:
    """Compute the start of each RoI and the size of its bins, (y, x) in pixels of the feature map, shape (R, 2)."""
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0)
    starts = corners[:, [1, 0]]
    sizes = corners[:, [3, 2]] - starts
    if not aligned:
        sizes = sizes.clamp(min=1)
    return starts, sizes / sizes.new_tensor(bins)


def _grid_sizes(steps: Tensor, sampling_ratio: int) -> list[list[int]]:
    """Return the number of samples per bin (y, x) of each RoI."""
    if sampling_ratio > 0:
        return [[sampling_ratio, sampling_ratio]] * len(steps)
    return steps.ceil().nan_to_num(0).long().tolist()


def _locations(start: Tensor, step: Tensor, bins: int, samples: int) -> Tensor:
    """Compute the coordinates of the samples of each bin along an axis, shape (bins, samples)."""
    index = torch.arange(max(bins, samples), device=start.device, dtype=start.dtype)
    return start + index[:bins, None] * step + (index[:samples] + 0.5) * step / samples


def _largest_samples(features: Tensor, ys: Tensor, xs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the first largest sample of each bin of one RoI.

    Args:
        features: Feature map of the image, shape (C, H, W).
        ys: y of the samples, shape (PH, GH).
        xs: x of the samples, shape (PW, GW).

    Returns:
        Maxima, their y and their x, each of shape (C, PH, PW).
    """
    samples = _bilinear(features, ys.flatten(), xs.flatten()).unflatten(2, xs.shape).unflatten(1, ys.shape)
    maxima, index = samples.transpose(2, 3).flatten(3).max(3)
    row, column = index // xs.shape[1], index % xs.shape[1]
    bins_y, bins_x = (torch.arange(len(axis), device=axis.device) for axis in (ys, xs))
    return maxima, ys[bins_y[:, None], row], xs[bins_x, column]


def _bilinear(features: Tensor, ys: Tensor, xs: Tensor) -> Tensor:
    """Sample a feature map (C, H, W) at all pairs of coordinates, as (C, Y, X). Samples outside are 0."""
    top, bottom, weight_top, weight_bottom, inside_y = _neighbors(ys[:, None], features.shape[1])
    left, right, weight_left, weight_right, inside_x = _neighbors(xs, features.shape[2])
    samples = (features[:, top, left] * (weight_top * weight_left) +
               features[:, top, right] * (weight_top * weight_right) +
               features[:, bottom, left] * (weight_bottom * weight_left) +
               features[:, bottom, right] * (weight_bottom * weight_right))
    return samples * (inside_y & inside_x)


def _neighbors(coordinates: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the two pixels next to each coordinate, their weights, and the mask of coordinates in [-1, size]."""
    inside = (coordinates >= -1) & (coordinates <= size)
    clipped = coordinates.nan_to_num(0).clamp(0, size - 1)
    low = clipped.long()
    weight = clipped - low
    return low, (low + 1).clamp(max=size - 1), 1 - weight, weight, inside

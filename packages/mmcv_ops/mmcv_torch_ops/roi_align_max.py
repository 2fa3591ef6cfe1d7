"""RoIAlign with the maximum of each bin's samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcv_torch_ops.backend import pixel_rows

MAX_GRADIENTS = 2**20  # per chunk, about 100 bytes each


def max_align(features: Tensor, rois: Tensor, bins: tuple[int, int], spatial_scale: float, sampling_ratio: int,
              aligned: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Find the largest bilinear sample of each bin, and its location.

    Args:
        features: Feature map, shape (N, C, H, W).
        rois: Index of the image and box (x1, y1, x2, y2), shape (R, 5).
        bins: Number of bins vertically and horizontally.
        spatial_scale: Ratio of the size of the feature map to that of the image.
        sampling_ratio: Samples of a bin per axis, or 0 for one per pixel.
        aligned: Whether pixel centers are at half-integer coordinates.

    Returns:
        Maxima, their y and their x in pixels of the feature map, each of shape (R, C, *bins). RoIs without samples
        have maxima of 0 at (-1, -1).
    """
    starts, steps = _bins(rois, bins, spatial_scale, aligned)
    grids = _grid_sizes(steps, sampling_ratio)
    shape, rows = (len(rois), features.shape[1], *bins), pixel_rows(features)
    maxima, ys, xs = features.new_zeros(shape), features.new_full(shape, -1), features.new_full(shape, -1)
    for i, (image, grid) in enumerate(zip(rois[:, 0].long().tolist(), grids)):
        if min(grid) > 0:
            y, x = (_locations(starts[i, axis], steps[i, axis], bins[axis], grid[axis]) for axis in (0, 1))
            maxima[i], ys[i], xs[i] = _largest_samples(rows, image, features.shape[2:], y, x)
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
    total = grad_output.new_zeros(shape).view(-1)
    size = max(MAX_GRADIENTS // max(grad_output[:1].numel(), 1), 1)
    chunks = (tensor.split(size) for tensor in (grad_output, rois[:, 0].long(), ys, xs))
    for grad, images, y, x in zip(*chunks):
        _add_gradients(total, grad, images, y, x, shape)
    return total.view(*shape)


def _add_gradients(total: Tensor, grad: Tensor, images: Tensor, ys: Tensor, xs: Tensor, shape: Sequence[int]) -> None:
    """Add the gradients of the maxima of a chunk of RoIs to a flattened feature map."""
    _, channels, height, width = shape
    *rows, inside_y = _neighbors(ys.to(grad.dtype), height)
    *columns, inside_x = _neighbors(xs.to(grad.dtype), width)
    grad = grad * (inside_y & inside_x & (ys != -1))
    planes = images[:, None] * channels + torch.arange(channels, device=images.device)
    first = planes[:, :, None, None] * height * width
    for row, row_weight in zip(rows[:2], rows[2:]):
        for column, column_weight in zip(columns[:2], columns[2:]):
            pixels = first + row * width + column
            total.index_add_(0, pixels.flatten(), (grad * (row_weight * column_weight)).flatten())


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


def _largest_samples(rows: Tensor, image: int, size: Sequence[int], ys: Tensor,
                     xs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the first largest sample of each bin of one RoI.

    Args:
        rows: Pixels of the feature maps of all images, shape (N * H * W, C).
        image: Index of the image.
        size: Height and width of the feature map.
        ys: y of the samples, shape (PH, GH).
        xs: x of the samples, shape (PW, GW).

    Returns:
        Maxima, their y and their x, each of shape (C, PH, PW).
    """
    indices, weights = _bilinear(ys.flatten(), xs.flatten(), size)
    samples = F.embedding_bag(indices + image * size[0] * size[1], rows, mode='sum', per_sample_weights=weights)
    bins = samples.view(*ys.shape, *xs.shape, -1).transpose(1, 2).flatten(2, 3)
    maxima, index = (result.permute(2, 0, 1) for result in bins.max(2))
    row, column = index // xs.shape[1], index % xs.shape[1]
    bins_y, bins_x = (torch.arange(len(axis), device=axis.device) for axis in (ys, xs))
    return maxima, ys[bins_y[:, None], row], xs[bins_x, column]


def _bilinear(ys: Tensor, xs: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return indices and weights of the four pixels around each pair of coordinates, shape (Y * X, 4).

    Weights outside the feature map are 0.
    """
    top, bottom, weight_top, weight_bottom, inside_y = _neighbors(ys[:, None], size[0])
    left, right, weight_left, weight_right, inside_x = _neighbors(xs, size[1])
    corners = [(row * size[1] + column, row_weight * column_weight * (inside_y & inside_x))
               for row, row_weight in ((top, weight_top), (bottom, weight_bottom))
               for column, column_weight in ((left, weight_left), (right, weight_right))]
    indices, weights = (torch.stack(values, 2).flatten(0, 1) for values in zip(*corners))
    return indices, weights


def _neighbors(coordinates: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the two pixels next to each coordinate, their weights, and the mask of coordinates in [-1, size]."""
    inside = (coordinates >= -1) & (coordinates <= size)
    clipped = coordinates.nan_to_num(0).clamp(0, size - 1)
    low = clipped.long()
    weight = clipped - low
    return low, (low + 1).clamp(max=size - 1), 1 - weight, weight, inside

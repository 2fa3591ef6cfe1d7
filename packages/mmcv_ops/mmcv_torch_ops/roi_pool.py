"""RoIPool with the bins of mmcv, which rounds bin borders outward. torchvision rounds the RoI instead."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmcv_torch_ops.backend import operators, pixel_rows, widen
from mmcv_torch_ops.eager import eager, nondeterministic

CHUNK = 64  # RoIs per chunk: up to 70 MB for a feature map of 100 x 168 pixels
_MAX = 2  # mode of embedding bags


@eager
def roi_pool_forward(input: Tensor, rois: Tensor, output: Tensor, argmax: Tensor, pooled_height: int,
                     pooled_width: int, spatial_scale: float) -> None:
    """Find the maximum of each bin of each RoI.

    Args:
        input: Feature map, shape (N, C, H, W), in any memory format.
        rois: Index of the image and box (x1, y1, x2, y2) in pixels of the image, x2 and y2 inside, shape (R, 5).
        output: Output, shape (R, C, pooled_height, pooled_width). Empty bins give 0.
        argmax: Output, index of the maximum among the H * W pixels, int32, like ``output``. -1 in empty bins.
        pooled_height: Number of bins vertically.
        pooled_width: Number of bins horizontally.
        spatial_scale: Ratio of the size of the feature map to that of the image.
    """
    features = widen(input)
    rows, boxes, bins = pixel_rows(features), rois.to(features.dtype), (pooled_height, pooled_width)
    corners = (boxes[:, 1:] + boxes.new_tensor([0, 0, 1, 1])) * spatial_scale
    output.zero_()
    argmax.fill_(-1)
    for start in range(0, len(boxes), CHUNK):
        part = slice(start, start + CHUNK)
        rectangles = _rectangles(corners[part], bins, features.shape[2:])
        _write_maxima(rows, boxes[part, 0].long(), rectangles, features.shape[2:], output[part], argmax[part])


@eager
def roi_pool_backward(grad_output: Tensor, rois: Tensor, argmax: Tensor, grad_input: Tensor, pooled_height: int,
                      pooled_width: int, spatial_scale: float) -> None:
    """Add the gradient of the feature map to ``grad_input``, shape (N, C, H, W).

    ``grad_output`` has the shape of the output, (R, C, pooled_height, pooled_width). The other arguments are those of
    ``roi_pool_forward``.
    """
    grad = widen(grad_output)
    with nondeterministic(grad.device):
        grad_input.add_(operators._roi_pool_backward(grad, rois.to(grad.dtype), argmax.contiguous(), spatial_scale,
                                                     pooled_height, pooled_width, *grad_input.shape))


def _rectangles(corners: Tensor, bins: tuple[int, int], size: Sequence[int]) -> list[Tensor]:
    """Compute the first row and column of each bin, and its height and width, each of shape (R, PH, PW).

    Args:
        corners: Box (x1, y1, x2, y2) of each RoI in pixels of the feature map, x2 and y2 outside, shape (R, 4).
        bins: Number of bins vertically and horizontally.
        size: Height and width of the feature map.
    """
    left, top, right, bottom = corners.unbind(1)
    rows, columns = _edges(top, bottom, bins[0], size[0]), _edges(left, right, bins[1], size[1])
    is_empty = ((right <= left) | (bottom <= top))[:, None, None]
    rectangles = [rows[0][:, :, None], columns[0][:, None], (rows[1] - rows[0])[:, :, None].masked_fill(is_empty, 0),
                  (columns[1] - columns[0])[:, None]]
    return [value.expand(len(corners), *bins) for value in rectangles]


def _edges(start: Tensor, end: Tensor, bins: int, size: int) -> tuple[Tensor, Tensor]:
    """Compute start (inclusive) and end (exclusive) of each bin along an axis in pixels, shape (R, bins)."""
    step = ((end - start) / bins)[:, None]
    index = torch.arange(bins + 1, device=step.device, dtype=step.dtype)
    first = (index[:-1] * step + start[:, None]).floor()
    last = (index[1:] * step + start[:, None]).ceil()
    return first.clamp(0, size).long(), last.clamp(0, size).long()


def _write_maxima(rows: Tensor, images: Tensor, rectangles: Sequence[Tensor], size: Sequence[int], output: Tensor,
                  argmax: Tensor) -> None:
    """Write the maxima of bins and their indices. Empty bins are left as they are.

    Args:
        rows: Pixels of the feature maps of all images, shape (N * H * W, C).
        images: Index of the image of each RoI, shape (R,).
        rectangles: First row, first column, height and width of each bin, each of shape (R, PH, PW).
        size: Height and width of the feature map.
        output: Maxima, shape (R, C, PH, PW).
        argmax: Indices of the maxima among the H * W pixels, like ``output``.
    """
    first_pixel = (images * size[0] * size[1])[:, None, None].expand_as(rectangles[0])
    counts = rectangles[2] * rectangles[3]
    is_full = counts > 0
    row, column, _, width, first, count = (value[is_full] for value in (*rectangles, first_pixel, counts))
    if not len(count):
        return
    bags = count.cumsum(0) - count
    inside = torch.arange(int(count.sum()), device=rows.device) - bags.repeat_interleave(count)
    row, column, width, base = (value.repeat_interleave(count) for value in (row, column, width, first))
    pixels = base + (row + inside // width) * size[1] + column + inside % width
    maxima, _, _, index = torch._embedding_bag(rows, pixels, bags, False, _MAX)
    output.permute(0, 2, 3, 1)[is_full] = maxima.to(output.dtype)
    argmax.permute(0, 2, 3, 1)[is_full] = (index - first[:, None]).to(argmax.dtype)

"""RoIPool with mmcv's bins, whose borders are rounded outward. torchvision rounds the RoI instead."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcv_torch_ops.backend import operators, widen


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
        spatial_scale: Size of the feature map by that of the image.
    """
    features = widen(input)
    boxes = rois.to(features.dtype)
    corners = (boxes[:, 1:] + boxes.new_tensor([0, 0, 1, 1])) * spatial_scale
    rows = _edges(corners[:, 1], corners[:, 3], pooled_height, features.shape[2])
    columns = _edges(corners[:, 0], corners[:, 2], pooled_width, features.shape[3])
    is_empty = (corners[:, 2:] <= corners[:, :2]).any(1)
    extents = torch.stack([(last - first).amax(0).masked_fill(is_empty, 0) for first, last in (rows, columns)], 1)
    output.zero_()
    argmax.fill_(-1)
    for i, (image, extent) in enumerate(zip(boxes[:, 0].long().tolist(), extents.tolist())):
        if min(extent) > 0:
            bins = (_pixels(first[:, i], last[:, i], size) for (first, last), size in zip((rows, columns), extent))
            maxima, index = _bin_maxima(features[image], *bins)
            output[i], argmax[i] = maxima.to(output.dtype), index.to(argmax.dtype)


def roi_pool_backward(grad_output: Tensor, rois: Tensor, argmax: Tensor, grad_input: Tensor, pooled_height: int,
                      pooled_width: int, spatial_scale: float) -> None:
    """Add the gradient of the feature map to ``grad_input``, shape (N, C, H, W).

    ``grad_output`` has the shape of the output, (R, C, pooled_height, pooled_width). The other arguments are those of
    ``roi_pool_forward``.
    """
    grad = widen(grad_output)
    grad_input.add_(operators._roi_pool_backward(grad, rois.to(grad.dtype), argmax.contiguous(), spatial_scale,
                                                 pooled_height, pooled_width, *grad_input.shape))


def _edges(start: Tensor, end: Tensor, bins: int, size: int) -> tuple[Tensor, Tensor]:
    """Compute the first pixel of each bin along an axis and the one after its last, shape (bins, R)."""
    step = (end - start) / bins
    index = torch.arange(bins + 1, device=step.device, dtype=step.dtype)[:, None]
    first = (index[:-1] * step + start).floor()
    last = (index[1:] * step + start).ceil()
    return first.clamp(0, size).long(), last.clamp(0, size).long()


def _pixels(first: Tensor, last: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """List the pixels of each bin along an axis, padded to a size, and mask the padding, shape (bins, size)."""
    pixels = first[:, None] + torch.arange(size, device=first.device)
    return pixels, pixels < last[:, None]


def _bin_maxima(features: Tensor, rows: tuple[Tensor, Tensor],
                columns: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Find the first maximum of each bin of one RoI.

    Args:
        features: Feature map of the image, shape (C, H, W).
        rows: Rows of each bin and their mask, shape (PH, BH).
        columns: Columns of each bin and their mask, shape (PW, BW).

    Returns:
        Maxima and their indices among the H * W pixels, each of shape (C, PH, PW), 0 and -1 in empty bins.
    """
    (y, in_rows), (x, in_columns) = rows, columns
    is_inside = (in_rows[:, None, :, None] & in_columns[None, :, None, :]).flatten(2)  # (PH, PW, BH * BW)
    index = (y[:, None, :, None] * features.shape[2] + x[None, :, None, :]).flatten(2).where(is_inside, 0)
    maxima, choice = features.flatten(1)[:, index].masked_fill(~is_inside, -torch.inf).max(3)
    index = index.expand(len(features), -1, -1, -1).gather(3, choice[..., None]).squeeze(3)
    is_empty = ~is_inside.any(2)
    return maxima.masked_fill(is_empty, 0), index.masked_fill(is_empty, -1)

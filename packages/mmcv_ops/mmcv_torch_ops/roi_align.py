"""RoIAlign with average pooling (torchvision's operator) or maximum pooling."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcv_torch_ops.backend import operators, widen
from mmcv_torch_ops.eager import eager, nondeterministic
from mmcv_torch_ops.roi_align_max import max_align, max_align_backward

MAX, AVERAGE = 0, 1


@eager
def roi_align_forward(input: Tensor, rois: Tensor, output: Tensor, argmax_y: Tensor, argmax_x: Tensor,
                      aligned_height: int, aligned_width: int, spatial_scale: float, sampling_ratio: int,
                      pool_mode: int, aligned: bool) -> None:
    """Pool bilinear samples of a feature map in each bin of each RoI.

    Args:
        input: Feature map, shape (N, C, H, W), in any memory format.
        rois: Index of the image and box (x1, y1, x2, y2) in pixels of the image, shape (R, 5).
        output: Output, shape (R, C, aligned_height, aligned_width). Empty RoIs give 0.
        argmax_y: Output of maximum pooling, y of the largest sample in pixels of the feature map, like ``output``.
            -1 in empty RoIs. Empty for average pooling.
        argmax_x: The same for x.
        aligned_height: Number of bins vertically.
        aligned_width: Number of bins horizontally.
        spatial_scale: Ratio of the size of the feature map to that of the image.
        sampling_ratio: Samples of a bin per axis, or 0 for one per pixel of the feature map.
        pool_mode: 0 (maximum) or 1 (average).
        aligned: Whether pixel centers are at half-integer coordinates. If False, RoIs have at least 1 pixel.
    """
    features = widen(input)
    boxes = _ordered(rois.to(features.dtype), sampling_ratio)
    bins = (aligned_height, aligned_width)
    if pool_mode == AVERAGE:
        output.copy_(operators.roi_align(features, boxes, spatial_scale, *bins, sampling_ratio, aligned))
        return
    results = max_align(features, boxes, bins, spatial_scale, sampling_ratio, aligned)
    for target, result in zip((output, argmax_y, argmax_x), results):
        target.copy_(result)


@eager
def roi_align_backward(grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, grad_input: Tensor,
                       aligned_height: int, aligned_width: int, spatial_scale: float, sampling_ratio: int,
                       pool_mode: int, aligned: bool) -> None:
    """Add the gradient of the feature map to ``grad_input``, shape (N, C, H, W).

    ``grad_output`` has the shape of the output, (R, C, aligned_height, aligned_width). The other arguments are those
    of ``roi_align_forward``.
    """
    grad = widen(grad_output)
    boxes = _ordered(rois.to(grad.dtype), sampling_ratio)
    if pool_mode == MAX:
        grad_input.add_(max_align_backward(grad, boxes, argmax_y, argmax_x, grad_input.shape))
        return
    with nondeterministic(grad.device):
        grad_input.add_(operators._roi_align_backward(grad, boxes, spatial_scale, aligned_height, aligned_width,
                                                      *grad_input.shape, sampling_ratio, aligned))


def _ordered(rois: Tensor, sampling_ratio: int) -> Tensor:
    """Replace RoIs of negative size by empty ones. For the former, torchvision raises a misleading error on CPUs."""
    if sampling_ratio > 0:
        return rois
    return torch.cat([rois[:, :3], torch.maximum(rois[:, 1:3], rois[:, 3:])], 1)

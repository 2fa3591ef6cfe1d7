"""Decoding and clipping of boxes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel

if TYPE_CHECKING:
    from mmdet.models.task_modules.coders import BaseBBoxCoder, DeltaXYWHBBoxCoder

# largest ratio of the sizes of a decoded box and its prior, in logarithms
_MAX_LOG_RATIO = abs(math.log(16 / 1000))


def check_coder(coder: BaseBBoxCoder) -> None:
    """Check that :func:`decode_boxes` supports a coder.

    Raises:
        UnsupportedModel: If it does not.
    """
    if type(coder).__name__ not in ('DeltaXYWHBBoxCoder', 'DistancePointBBoxCoder'):
        raise UnsupportedModel('bbox_coder must be DeltaXYWHBBoxCoder or DistancePointBBoxCoder, '
                               f'got {type(coder).__name__}. Export the network by --part network')


def decode_boxes(coder: BaseBBoxCoder, priors: Tensor, encoded: Tensor, size: tuple[int, int] | None) -> Tensor:
    """Decode boxes, and clip them to the image if the coder does.

    Args:
        coder: Coder of the head.
        priors: Boxes (x1, y1, x2, y2) of shape (..., N, 4), or points (x, y) of shape (..., N, 2) for distances.
        encoded: Deltas, or distances (left, top, right, bottom), shape (..., N, 4).
        size: Height and width of the image, or None to keep boxes outside of it.

    Returns:
        Boxes (x1, y1, x2, y2), shape (..., N, 4).
    """
    if type(coder).__name__ == 'DistancePointBBoxCoder':
        boxes = torch.cat([priors - encoded[..., :2], priors + encoded[..., 2:]], -1)
    else:
        boxes = _decode_deltas(coder, priors, encoded)
    return clip_boxes(boxes, size) if coder.clip_border and size is not None else boxes


def _decode_deltas(coder: DeltaXYWHBBoxCoder, priors: Tensor, deltas: Tensor) -> Tensor:
    """Return boxes from deltas of centers (in prior sizes) and of sizes (in logarithms)."""
    deltas = deltas * deltas.new_tensor(coder.stds) + deltas.new_tensor(coder.means)
    sizes = priors[..., 2:] - priors[..., :2]
    shifts, log_ratios = sizes * deltas[..., :2], deltas[..., 2:]
    if coder.add_ctr_clamp:
        shifts = shifts.clamp(-coder.ctr_clamp, coder.ctr_clamp)
        log_ratios = log_ratios.clamp(max=_MAX_LOG_RATIO)
    else:
        log_ratios = log_ratios.clamp(-_MAX_LOG_RATIO, _MAX_LOG_RATIO)
    centers = (priors[..., :2] + priors[..., 2:]) * 0.5 + shifts
    halves = sizes * log_ratios.exp() * 0.5
    return torch.cat([centers - halves, centers + halves], -1)


def clip_boxes(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Clip boxes to the image.

    Args:
        boxes: Boxes (x1, y1, x2, y2), shape (..., 4).
        size: Height and width of the image. May be traced.
    """
    height, width = size
    # products, because tensors made from traced sizes are constants in exported models
    limits = boxes.new_tensor([1., 0., 1., 0.]) * width + boxes.new_tensor([0., 1., 0., 1.]) * height
    return torch.minimum(boxes.clamp(min=0), limits)


def is_larger(boxes: Tensor, min_size: float) -> Tensor:
    """Return True for boxes whose width and height are greater than a size.

    Args:
        boxes: Boxes (x1, y1, x2, y2), shape (..., 4).
        min_size: Size in pixels.
    """
    sizes = boxes[..., 2:] - boxes[..., :2]
    return (sizes > min_size).all(-1)

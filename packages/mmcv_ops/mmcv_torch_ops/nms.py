"""Non-maximum suppression and the grouping of boxes by it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmcv_torch_ops.backend import operators, widen
from mmcv_torch_ops.eager import eager

BoolArray = NDArray[np.bool_]
BLOCK = 64  # boxes whose IoU with all others is computed at once


@eager
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Return the indices of the boxes that no kept box of higher score overlaps.

    Args:
        boxes: Boxes (x1, y1, x2, y2) in pixels, shape (N, 4).
        scores: Scores, shape (N,).
        iou_threshold: Boxes with a larger IoU are suppressed.
        offset: 0, or 1 if x2 and y2 are inside the box: its width is ``x2 - x1 + offset``.

    Returns:
        Indices in descending order of score, int64, shape (K,).
    """
    boxes = widen(boxes)
    if offset:
        boxes = boxes + boxes.new_tensor([0, 0, offset, offset])
    # mmcv compares in the type of the boxes. In float64, an IoU of exactly 3/5 would exceed a threshold of 0.6.
    threshold = torch.tensor(iou_threshold, dtype=boxes.dtype).item()
    # Sorted as in mmcv, where the order of equal scores is undefined. torchvision keeps the order of its input.
    scores, order = scores.to(boxes.dtype).sort(descending=True)
    return order[operators.nms(boxes[order], scores, threshold)]


def overlaps(box: Tensor, boxes: Tensor, offset: int) -> Tensor:
    """Compute the IoU of one box with others.

    Args:
        box: Box (x1, y1, x2, y2), shape (4, 1).
        boxes: Boxes (x1, y1, x2, y2), shape (4, N).
        offset: Added to each width and height, 0 or 1.

    Returns:
        IoU, shape (N,), 0 where both boxes are empty.
    """
    common = _area(torch.maximum(box[:2], boxes[:2]), torch.minimum(box[2:], boxes[2:]), offset, 0)
    union = _area(box[:2], box[2:], offset) + _area(boxes[:2], boxes[2:], offset) - common
    return (common / union).nan_to_num_(0)


def _area(start: Tensor, end: Tensor, offset: int, smallest: float = -torch.inf) -> Tensor:
    """Multiply width and height, each of them at least ``smallest``, of corners of shape (2, N)."""
    width, height = (end - start).add_(offset).clamp_(min=smallest)
    return width * height


@eager
def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Group each kept box with the boxes that it suppresses.

    Args:
        dets: Boxes and scores (x1, y1, x2, y2, score), shape (N, 5).
        iou_threshold: Boxes with at least this IoU are suppressed.

    Returns:
        A list of indices per kept box, in descending order of score. The kept box comes first.
    """
    boxes = widen(dets.t())
    rest, groups = boxes[4].sort(descending=True).indices, []
    while len(rest):
        block = overlaps(boxes[:4, rest[:BLOCK], None], boxes[:4, None, rest], offset=0) >= iou_threshold
        members, is_left = _group(block.cpu().numpy())
        order = rest.cpu().numpy()
        groups += [order[group].tolist() for group in members]
        rest = rest[torch.from_numpy(is_left).to(rest.device)]
    return groups


def _group(is_overlap: BoolArray) -> tuple[list[BoolArray], BoolArray]:
    """Group the first B of N boxes in descending order of score with the boxes that they suppress.

    Args:
        is_overlap: Mask of the pairs whose boxes suppress each other, shape (B, N).

    Returns:
        Mask of the members of each group, shape (N,), and mask of the boxes that are in no group, shape (N,).
    """
    groups, is_left = [], np.ones(is_overlap.shape[1], bool)
    for i, row in enumerate(is_overlap):
        if is_left[i]:
            row &= is_left
            row[i] = True  # also an empty box, whose IoU with itself is 0
            is_left &= ~row
            groups.append(row)
    return groups, is_left

"""Masks of detections in pixels of the image."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F


def paste_masks(probabilities: NDArray[np.float32], boxes: NDArray[np.float32], size: tuple[int, int],
                threshold: float) -> NDArray[np.bool_]:
    """Resize the masks of boxes to the image, as mmdet does on CPUs.

    Args:
        probabilities: Probabilities in the boxes, shape (N, h, w).
        boxes: Boxes (x1, y1, x2, y2) in pixels of the image, shape (N, 4).
        size: Height and width of the image.
        threshold: Minimum probability of pixels in a mask.

    Returns:
        Masks, shape (N, H, W).
    """
    masks = np.zeros((len(boxes), *size), np.bool_)
    lows = np.maximum(np.floor(boxes[:, 1::-1]) - 1, 0)
    highs = np.maximum(np.minimum(np.ceil(boxes[:, :1:-1]) + 1, size), lows)
    for mask, own, box, low, high in zip(masks, probabilities, boxes, lows.astype(int), highs.astype(int)):
        ys, xs = (torch.arange(first, last, dtype=torch.float32) + 0.5 for first, last in zip(low, high))
        grid = torch.stack(torch.meshgrid(_relative(ys, box[1], box[3]), _relative(xs, box[0], box[2]),
                                          indexing='ij')[::-1], -1)
        pasted = F.grid_sample(torch.from_numpy(own)[None, None], grid[None], align_corners=False)
        mask[low[0]:high[0], low[1]:high[1]] = pasted[0, 0] >= threshold
    return masks


def _relative(positions: Tensor, low: float, high: float) -> Tensor:
    """Return positions with the edges of a box at -1 and 1. Boxes without area have the center everywhere."""
    length = torch.tensor(high, dtype=torch.float32) - torch.tensor(low, dtype=torch.float32)
    relative = (positions - low) / length * 2 - 1
    return torch.where(relative.isinf(), 0., relative)

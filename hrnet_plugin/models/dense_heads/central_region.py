"""Central region of a box, which must contain a center keypoint."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hrnet_plugin.checks import check_int


@dataclass(frozen=True)
class CentralRegion:
    """Central region of boxes: the middle ``1 / n`` of width and height.

    `CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, section 3.2. A small ``n``
    improves recall for small boxes, and a large ``n`` improves precision for large boxes.

    Args:
        scale: Largest scale of small boxes. The scale is the square root of the area in pixels of the original image.
        small: ``n`` of small boxes.
        large: ``n`` of larger boxes.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """
    scale: float = 150
    small: int = 3
    large: int = 5

    def __post_init__(self) -> None:
        if isinstance(self.scale, bool) or not isinstance(self.scale, (int, float)) or not self.scale > 0:
            raise ValueError(f'central_region.scale must be a number above 0, got {self.scale!r}')
        check_int('central_region.small', self.small, 1)
        check_int('central_region.large', self.large, 1)

    def contains(self, boxes: Tensor, points: Tensor) -> Tensor:
        """Return a mask ``(P, C)`` of boxes ``(P, 4)`` whose region contains points ``(C, 2)``, borders excluded."""
        low, high = boxes[:, :2], boxes[:, 2:]
        size = high - low
        parts = torch.where(size.prod(1) <= self.scale**2, self.small, self.large)[:, None]
        margin = size * (parts - 1) / (2 * parts)
        inside = (points > (low + margin)[:, None]) & (points < (high - margin)[:, None])
        return inside.all(2)

"""The part of a box in which a centre confirms it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hrnet_plugin.checks import check_int


@dataclass(frozen=True)
class CentralRegion:
    """The middle ``1 / n`` of a box's width and height.

    `CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, section 3.2. A small ``n``
    lets small boxes miss no centre, a large one keeps wrong large boxes out.

    Args:
        scale: Boxes up to this scale, which is the root of their area in pixels of the original image, are small.
        small: ``n`` of small boxes.
        large: ``n`` of larger boxes.

    Raises:
        TypeError, ValueError: If an argument is wrong.
    """
    scale: float = 150
    small: int = 3
    large: int = 5

    def __post_init__(self) -> None:
        if isinstance(self.scale, bool) or not isinstance(self.scale, (int, float)) or not self.scale > 0:
            raise ValueError(f'central_region.scale must be a number above 0, got {self.scale!r}')
        check_int('central_region.small', self.small, 1)
        check_int('central_region.large', self.large, 1)

    def holds(self, boxes: Tensor, points: Tensor) -> Tensor:
        """Which boxes ``(P, 4)`` have which points ``(C, 2)`` in their region, borders excluded: ``(P, C)``."""
        low, high = boxes[:, :2], boxes[:, 2:]
        size = high - low
        parts = torch.where(size.prod(1) <= self.scale**2, self.small, self.large)[:, None]
        margin = size * (parts - 1) / (2 * parts)
        inside = (points > (low + margin)[:, None]) & (points < (high - margin)[:, None])
        return inside.all(2)

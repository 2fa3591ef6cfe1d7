"""What the maps of keypoints should be, from the objects of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.models.utils import gaussian_radius
from torch import Tensor

# The bump's sigma is its diameter divided by this. Centres have broader ones, as in the authors' code.
_CORNER_SIGMAS, _CENTER_SIGMAS = 6, 5


@dataclass(frozen=True)
class KeypointTargets:
    """Targets of one kind of keypoint in a batch with ``M`` objects, image after image.

    Attributes:
        heat: 1 at keypoints, falling off around them as a Gaussian: ``(N, num_classes, H, W)``.
        cells: Index of the image, y and x of the cell of each object's keypoint; on the host.
        offsets: From the cell's corner to the keypoint, x and y, in cells: ``(M, 2)``.
    """
    heat: Tensor
    cells: Sequence[tuple[int, int, int]]
    offsets: Tensor

    def at_keypoints(self, maps: Tensor) -> Tensor:
        """Values of ``(N, C, H, W)`` at each object's keypoint: ``(M, C)``."""
        image, y, x = torch.tensor(self.cells, device=maps.device, dtype=torch.long).view(-1, 3).unbind(1)
        return maps[image, :, y, x]

    def of_images(self) -> list[list[list[int]]]:
        """y and x of the cells, for each image those of its objects."""
        found: list[list[list[int]]] = [[] for _ in range(len(self.heat))]
        for image, y, x in self.cells:
            found[image].append([y, x])
        return found


def triplet_targets(boxes: Sequence[Tensor], labels: Sequence[Tensor], heat_shape: Sequence[int],
                    image_shape: Sequence[int], min_overlap: float) -> tuple[KeypointTargets, ...]:
    """Targets of top-left corners, bottom-right corners and centres.

    `CornerNet <https://arxiv.org/abs/1808.01244>`_, sections 3.2 and 3.3, and `CenterNet
    <https://arxiv.org/abs/1904.08189>`_, section 3.2. The boxes are brought to the host once an image; on a GPU nothing
    waits for single coordinates.

    Args:
        boxes: ``(n, 4)`` corners of each image's objects, in pixels of the input.
        labels: ``(n, )`` of each image.
        heat_shape: ``(N, num_classes, H, W)`` of the maps.
        image_shape: Height and width of the input.
        min_overlap: Corners moved by less than the radius of a bump give boxes that overlap the object's by this at
            least.
    """
    batch, _, height, width = heat_shape
    scale_x, scale_y = width / image_shape[1], height / image_shape[0]
    drawings = [_Drawing(heat_shape, sigmas, boxes[0].device) for sigmas in
                (_CORNER_SIGMAS, _CORNER_SIGMAS, _CENTER_SIGMAS)]
    for image in range(batch):
        for (x1, y1, x2, y2), label in zip(boxes[image].tolist(), labels[image].tolist()):
            x1, x2, y1, y2 = x1 * scale_x, x2 * scale_x, y1 * scale_y, y2 * scale_y
            size = math.ceil(y2 - y1), math.ceil(x2 - x1)
            radius = max(0, int(gaussian_radius(size, min_overlap)))
            for drawing, x, y in zip(drawings, (x1, x2, (x1 + x2) / 2), (y1, y2, (y1 + y2) / 2)):
                drawing.add(image, label, x, y, radius)
    return tuple(drawing.targets() for drawing in drawings)


class _Drawing:
    """Targets in the making."""

    def __init__(self, heat_shape: Sequence[int], sigmas: int, device: torch.device) -> None:
        self.heat = torch.zeros(tuple(heat_shape), device=device)
        self.sigmas = sigmas
        self.cells: list[tuple[int, int, int]] = []
        self.offsets: list[tuple[float, float]] = []

    def add(self, image: int, label: int, x: float, y: float, radius: int) -> None:
        """One object's keypoint, in cells."""
        height, width = self.heat.shape[2:]
        column, row = (max(0, min(int(at), size - 1)) for at, size in ((x, width), (y, height)))
        left, right = max(0, column - radius), min(width, column + radius + 1)
        top, bottom = max(0, row - radius), min(height, row + radius + 1)
        across = self._bump(torch.arange(left - column, right - column, device=self.heat.device), radius)
        down = self._bump(torch.arange(top - row, bottom - row, device=self.heat.device), radius)
        part = self.heat[image, label, top:bottom, left:right]
        torch.maximum(part, down[:, None] * across, out=part)
        self.cells.append((image, row, column))
        self.offsets.append((x - column, y - row))

    def _bump(self, distance: Tensor, radius: int) -> Tensor:
        sigma = (2 * radius + 1) / self.sigmas
        return torch.exp(-distance.square() / (2 * sigma**2))

    def targets(self) -> KeypointTargets:
        offsets = torch.tensor(self.offsets, device=self.heat.device, dtype=torch.float32).view(-1, 2)
        return KeypointTargets(self.heat, self.cells, offsets)

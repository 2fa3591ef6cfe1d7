"""Training targets of the triplet head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmdet.models.utils import gaussian_radius
from torch import Tensor

# Diameter of a Gaussian peak divided by its sigma. Peaks of centers are broader, as in the CenterNet code.
_CORNER_SIGMAS, _CENTER_SIGMAS = 6, 5


@dataclass(frozen=True)
class KeypointTargets:
    """Targets of one keypoint type in a batch with ``M`` objects, ordered by image.

    Attributes:
        heat: Heatmaps with Gaussian peaks of value 1 at keypoints, shape ``(N, num_classes, H, W)``.
        cells: Image index, y and x of the heatmap pixel of each object, as Python ints.
        offsets: Offset from the heatmap pixel to the keypoint, x and y, shape ``(M, 2)``.
    """
    heat: Tensor
    cells: Sequence[tuple[int, int, int]]
    offsets: Tensor

    def gather(self, maps: Tensor) -> Tensor:
        """Gather ``(M, C)`` values from feature maps ``(N, C, H, W)`` at the keypoint of each object."""
        image, y, x = torch.tensor(self.cells, device=maps.device, dtype=torch.long).view(-1, 3).unbind(1)
        return maps[image, :, y, x]

    def cells_per_image(self) -> list[list[list[int]]]:
        """Return y and x of the heatmap pixels, as one list per image."""
        cells: list[list[list[int]]] = [[] for _ in range(len(self.heat))]
        for image, y, x in self.cells:
            cells[image].append([y, x])
        return cells


def triplet_targets(boxes: Sequence[Tensor], labels: Sequence[Tensor], heat_shape: Sequence[int],
                    image_shape: Sequence[int], min_overlap: float) -> tuple[KeypointTargets, ...]:
    """Compute the targets of top-left corners, bottom-right corners and centers.

    `CornerNet <https://arxiv.org/abs/1808.01244>`_, sections 3.2 and 3.3, and `CenterNet
    <https://arxiv.org/abs/1904.08189>`_, section 3.2. Boxes are copied to the CPU once per image, to avoid a
    synchronization with the GPU per coordinate.

    Args:
        boxes: Ground-truth boxes of each image, x1, y1, x2, y2 in pixels of the input, shape ``(n, 4)``.
        labels: Class indices of each image, shape ``(n, )``.
        heat_shape: Shape of the heatmaps, ``(N, num_classes, H, W)``.
        image_shape: Height and width of the input.
        min_overlap: Minimum IoU with the object of boxes whose corners lie within the radius of the Gaussian peaks.
    """
    batch, _, height, width = heat_shape
    scale_x, scale_y = width / image_shape[1], height / image_shape[0]
    builders = [_TargetBuilder(heat_shape, sigmas, boxes[0].device) for sigmas in
                (_CORNER_SIGMAS, _CORNER_SIGMAS, _CENTER_SIGMAS)]
    for image in range(batch):
        for (x1, y1, x2, y2), label in zip(boxes[image].tolist(), labels[image].tolist()):
            x1, x2, y1, y2 = x1 * scale_x, x2 * scale_x, y1 * scale_y, y2 * scale_y
            size = math.ceil(y2 - y1), math.ceil(x2 - x1)
            radius = max(0, int(gaussian_radius(size, min_overlap)))
            for builder, x, y in zip(builders, (x1, x2, (x1 + x2) / 2), (y1, y2, (y1 + y2) / 2)):
                builder.add_keypoint(image, label, x, y, radius)
    return tuple(builder.build() for builder in builders)


class _TargetBuilder:
    """Builder of the targets of one keypoint type."""

    def __init__(self, heat_shape: Sequence[int], sigmas: int, device: torch.device) -> None:
        self.heat = torch.zeros(tuple(heat_shape), device=device)
        self.sigmas = sigmas
        self.cells: list[tuple[int, int, int]] = []
        self.offsets: list[tuple[float, float]] = []

    def add_keypoint(self, image: int, label: int, x: float, y: float, radius: int) -> None:
        """Add the keypoint of an object. x, y and radius are in heatmap pixels."""
        height, width = self.heat.shape[2:]
        column, row = (max(0, min(int(at), size - 1)) for at, size in ((x, width), (y, height)))
        left, right = max(0, column - radius), min(width, column + radius + 1)
        top, bottom = max(0, row - radius), min(height, row + radius + 1)
        across = self._gaussian(torch.arange(left - column, right - column, device=self.heat.device), radius)
        down = self._gaussian(torch.arange(top - row, bottom - row, device=self.heat.device), radius)
        part = self.heat[image, label, top:bottom, left:right]
        torch.maximum(part, down[:, None] * across, out=part)
        self.cells.append((image, row, column))
        self.offsets.append((x - column, y - row))

    def _gaussian(self, distance: Tensor, radius: int) -> Tensor:
        sigma = (2 * radius + 1) / self.sigmas
        return torch.exp(-distance.square() / (2 * sigma**2))

    def build(self) -> KeypointTargets:
        offsets = torch.tensor(self.offsets, device=self.heat.device, dtype=torch.float32).view(-1, 2)
        return KeypointTargets(self.heat, self.cells, offsets)

"""Detection of boxes that are not [x, y, width, height] in pixels."""

from __future__ import annotations

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.data_checks.columns import Columns

_FEWEST = 10  # boxes that a guess needs
_BEYOND = .25  # share of boxes that extend over the edge of their image if corners are read as sizes
_TOLERANCE = 1.  # pixels


def are_normalized(columns: Columns) -> bool:
    """Return True if all boxes are in [0, 1], which is one pixel or less."""
    boxes = columns.boxes[np.isfinite(columns.boxes).all(axis=1)]
    return bool(len(boxes)) and bool(((boxes >= 0) & (boxes <= 1)).all()) and bool((boxes[:, 2:] > 0).any())


def are_corners(columns: Columns) -> bool:
    """Return True if the boxes look like [x1, y1, x2, y2].

    All of them are valid as corners inside of their image, and many extend over its edge as [x, y, width, height].
    """
    start, end, size, _ = _valid(columns)
    if len(start) < _FEWEST or not ((end > start) & (start >= 0) & (end <= size + _TOLERANCE)).all():
        return False
    return bool((start + end > size + _TOLERANCE).any(axis=1).mean() > _BEYOND)


def areas_fit_corners(columns: Columns) -> bool:
    """Return True if no area is larger than that of its box, read as [x1, y1, x2, y2]."""
    start, end, _, areas = _valid(columns)
    return not (areas > 1.1 * (end - start).prod(axis=1) + 2).any()


def _valid(columns: Columns) -> tuple[Floats, Floats, Floats, Floats]:
    """Return first and second half of the boxes, [width, height] of the images, and areas."""
    valid = np.isfinite(columns.boxes).all(axis=1) & np.isfinite(columns.sizes).all(axis=1)
    boxes = columns.boxes[valid]
    return boxes[:, :2], boxes[:, 2:], columns.sizes[valid, ::-1], columns.areas[valid]

"""Where a head's map lies in an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from torch import Tensor

# What lies further out of the image than this, in pixels of the input, is no object's. From the authors' code.
_OUTSIDE = 5

_XY = tuple[float, float]


class ImageMeta(TypedDict, total=False):
    """Meta information of a sample, as far as the head reads it.

    Attributes:
        img_shape: Height and width of the image in the input.
        batch_input_shape: Height and width of the input, where the batch is larger.
        border: Top, bottom, left and right of the image in the input, which mmdet's RandomCenterCropPad leaves.
        ori_shape: Height and width of the original image.
        scale_factor: Pixels of the input to one of the original image, x and y.
    """
    img_shape: tuple[int, ...]
    batch_input_shape: tuple[int, int]
    border: Sequence[float]
    ori_shape: tuple[int, ...]
    scale_factor: Sequence[float]


@dataclass(frozen=True)
class Placement:
    """From cells of the map to pixels of the original image: x and y of each.

    Args:
        cell: Size of a cell in pixels of the input.
        border: Where in the input the image begins.
        size: Size of the image in the input.
        scale: Pixels of the input to one of the original image.
    """
    cell: _XY
    border: _XY
    size: _XY
    scale: _XY

    @classmethod
    def of(cls, meta: ImageMeta, map_shape: Sequence[int]) -> Placement:
        """Where the meta information of a sample, as mmdet has it, puts a map of a height and width.

        Args:
            meta: The meta information; at least its ``img_shape``.
            map_shape: Height and width of the map.

        Raises:
            ValueError: If the image was padded or cropped, and it is not said where.
        """
        scale_x, scale_y = map(float, meta.get('scale_factor', (1, 1))[:2])
        shown = meta['img_shape'][1], meta['img_shape'][0]
        size: _XY | None = None
        if 'ori_shape' in meta:
            size = meta['ori_shape'][1] * scale_x, meta['ori_shape'][0] * scale_y
        if 'border' in meta:
            top, bottom, left, right = map(float, meta['border'])
            size = size or (right - left, bottom - top)
        elif size is not None and any(abs(ours - theirs) > 1 for ours, theirs in zip(size, shown)):
            raise ValueError(f'the image should be of {size[0]:g} x {size[1]:g}, got one of {shown[0]} x {shown[1]} '
                             "without 'border' in its meta information: add 'border' to meta_keys of PackDetInputs in "
                             'the test pipeline')
        else:
            top, left, size = 0., 0., shown
        height, width = meta.get('batch_input_shape', meta['img_shape'])[:2]
        return cls((width / map_shape[1], height / map_shape[0]), (left, top), size, (scale_x, scale_y))

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Points ``(..., 2)`` in cells: in the original image's pixels, cut off at its borders; which are in it."""
        size = points.new_tensor(self.size)
        pixels = points * points.new_tensor(self.cell) - points.new_tensor(self.border)
        inside = ((pixels > -_OUTSIDE) & (pixels < size + _OUTSIDE)).all(-1)
        return pixels.clamp(min=0).minimum(size) / points.new_tensor(self.scale), inside

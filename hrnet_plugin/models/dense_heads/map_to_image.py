"""Transform from feature-map coordinates to pixels of the original image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from torch import Tensor

# Points further outside of the image, in pixels of the input, are discarded, as in the CenterNet code.
_MARGIN = 5

_XY = tuple[float, float]


class ImageMeta(TypedDict, total=False):
    """Entries of mmdet's ``metainfo`` that the head uses.

    Attributes:
        img_shape: Height and width of the image after the pipeline.
        batch_input_shape: Height and width of the padded batch. Default: ``img_shape``.
        border: Top, bottom, left and right of the image content, set by mmdet's RandomCenterCropPad.
        ori_shape: Height and width of the original image.
        scale_factor: Ratio of resized to original size, for x and y.
    """
    img_shape: tuple[int, ...]
    batch_input_shape: tuple[int, int]
    border: Sequence[float]
    ori_shape: tuple[int, ...]
    scale_factor: Sequence[float]


@dataclass(frozen=True)
class MapToImage:
    """Transform from feature-map coordinates to pixels of the original image. All fields are (x, y) pairs.

    Args:
        stride: Stride of the feature map in pixels of the input.
        offset: Position of the image content in the input.
        image_size: Size of the image content in the input.
        scale_factor: Ratio of resized to original size.
    """
    stride: _XY
    offset: _XY
    image_size: _XY
    scale_factor: _XY

    @classmethod
    def from_meta(cls, meta: ImageMeta, map_shape: Sequence[int]) -> MapToImage:
        """Create the transform of a sample.

        Args:
            meta: Meta information with at least ``img_shape``.
            map_shape: Height and width of the feature map.

        Raises:
            ValueError: If the image was padded or cropped, but ``border`` is missing.
        """
        scale_x, scale_y = map(float, meta.get('scale_factor', (1, 1))[:2])
        actual = meta['img_shape'][1], meta['img_shape'][0]
        size: _XY | None = None
        if 'ori_shape' in meta:
            size = meta['ori_shape'][1] * scale_x, meta['ori_shape'][0] * scale_y
        if 'border' in meta:
            top, bottom, left, right = map(float, meta['border'])
            size = size or (right - left, bottom - top)
        elif size is not None and any(abs(expected - got) > 1 for expected, got in zip(size, actual)):
            raise ValueError(f"img_shape must be {size[0]:g} x {size[1]:g} (width x height) without 'border' in "
                             f"metainfo, got {actual[0]} x {actual[1]}. Add 'border' to meta_keys of PackDetInputs in "
                             'the test pipeline.')
        else:
            top, left, size = 0., 0., actual
        height, width = meta.get('batch_input_shape', meta['img_shape'])[:2]
        return cls((width / map_shape[1], height / map_shape[0]), (left, top), size, (scale_x, scale_y))

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Transform points ``(..., 2)``, x and y.

        Returns:
            Points in pixels of the original image, clamped to its borders, and a mask ``(...)`` of those inside.
        """
        size = points.new_tensor(self.image_size)
        pixels = points * points.new_tensor(self.stride) - points.new_tensor(self.offset)
        inside = ((pixels > -_MARGIN) & (pixels < size + _MARGIN)).all(-1)
        return pixels.clamp(min=0).minimum(size) / points.new_tensor(self.scale_factor), inside

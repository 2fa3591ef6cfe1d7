"""Padding to one of two sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS

from hrnet_plugin.checks import check_ints
from hrnet_plugin.registry import TRANSFORMS


@TRANSFORMS.register_module()
class OrientedPad(BaseTransform):
    """Pad every image to the same size, turned for images that are higher than wide.

    The multi-scale recipes of the official detection code do so: with norms that train, batches whose size changes with
    the scale that was drawn diverged. mmdet's sampler keeps the two orientations in batches of their own.

    Args:
        size: Width and height of a landscape image, in pixels; a portrait image gets height and width.

    Raises:
        TypeError, ValueError: If ``size`` is not two positive integers, or when an image is larger.
    """

    def __init__(self, size: Sequence[int]) -> None:
        self.size = size = check_ints('size', size, length=2)
        # mmdet's own, which pads masks and semantic maps as well
        self._landscape = ROOT_TRANSFORMS.build(dict(type='mmdet.Pad', size=size))
        self._portrait = ROOT_TRANSFORMS.build(dict(type='mmdet.Pad', size=size[::-1]))

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pad ``results['img']`` (H, W, C) and what belongs to it, on the right and at the bottom."""
        height, width = results['img'].shape[:2]
        portrait = height > width
        largest = self.size[::-1] if portrait else self.size
        if width > largest[0] or height > largest[1]:
            raise ValueError(f'size must hold every image, got {self.size} for one of {width} x {height}')
        return (self._portrait if portrait else self._landscape)(results)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size})'

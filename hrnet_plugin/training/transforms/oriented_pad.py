"""Padding to one of two sizes."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS

from hrnet_plugin.checks import check_ints
from hrnet_plugin.registry import TRANSFORMS
from hrnet_plugin.training.transforms.results import DetResults


@TRANSFORMS.register_module()
class OrientedPad(BaseTransform):
    """Pad every image to the same size, turned for images that are higher than wide.

    The multi-scale recipes of the official detection code do so: with norms that train, batches whose size changes with
    the scale that was drawn diverged. mmdet's sampler keeps the two orientations in batches of their own.

    The last step before packing: ``img_shape``, within which mmdet keeps proposals, stays that of the image inside.

    Args:
        size: Width and height of a landscape image, in pixels; a portrait image gets height and width.
        pad_val: The padding's colour, in the order of the image's channels. The preprocessor's mean makes it zero in
            the network, as it was in the official code, which padded after normalising.

    Raises:
        TypeError, ValueError: If ``size`` is not two positive integers, ``pad_val`` not three numbers, or when an image
            is larger.
    """

    def __init__(self, size: Sequence[int], pad_val: Sequence[float] = (0, 0, 0)) -> None:
        self.size = size = check_ints('size', size, length=2)
        if len(pad_val) != 3:
            raise ValueError(f'pad_val must be three numbers, got {pad_val!r}')
        self.pad_val = tuple(pad_val)
        # mmdet's own, which pads masks and semantic maps as well
        pad = dict(type='mmdet.Pad', pad_val=dict(img=self.pad_val, seg=255))
        self._landscape = ROOT_TRANSFORMS.build(dict(pad, size=size))
        self._portrait = ROOT_TRANSFORMS.build(dict(pad, size=size[::-1]))

    def transform(self, results: DetResults) -> DetResults:
        """Pad ``results['img']`` (H, W, C) and what belongs to it, on the right and at the bottom."""
        height, width = results['img'].shape[:2]
        portrait = height > width
        largest = self.size[::-1] if portrait else self.size
        if width > largest[0] or height > largest[1]:
            raise ValueError(f'size must hold every image, got {self.size} for one of {width} x {height}')
        results = (self._portrait if portrait else self._landscape)(results)
        results['img_shape'] = (height, width)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, pad_val={self.pad_val})'

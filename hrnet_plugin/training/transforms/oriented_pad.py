"""Padding to one size per orientation."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS

from hrnet_plugin.checks import check_ints, check_numbers
from hrnet_plugin.registry import TRANSFORMS
from hrnet_plugin.training.transforms.results import DetResults


@TRANSFORMS.register_module()
class OrientedPad(BaseTransform):
    """Padding of all images to the same size, transposed for portrait images.

    It is part of the multi-scale recipes of the official detection code. Without it, the image size of batches varies
    with the random scale, and training with batch norms in training mode diverged. mmdet's sampler puts the two
    orientations into separate batches.

    Use it as the last transform before packing. ``img_shape``, to which mmdet clips proposals, remains the size of the
    image without padding.

    Args:
        size: Width and height of padded landscape images, in pixels. For portrait images, height and width.
        pad_val: Value of padded pixels in the channel order of the image. Set it to the mean of the data preprocessor
            for zeros in the network, as in the official code, which pads after normalization. Default: (0, 0, 0).

    Raises:
        TypeError, ValueError: If ``size`` is not a pair of positive integers, ``pad_val`` does not have three numbers,
            or an image is larger than ``size``.
    """

    def __init__(self, size: Sequence[int], pad_val: Sequence[float] = (0, 0, 0)) -> None:
        self.size = size = check_ints('size', size, length=2)
        self.pad_val = check_numbers('pad_val', pad_val, length=3)
        # mmdet's Pad, which also pads masks and semantic maps
        pad = dict(type='mmdet.Pad', pad_val=dict(img=self.pad_val, seg=255))
        self._landscape = ROOT_TRANSFORMS.build(dict(pad, size=size))
        self._portrait = ROOT_TRANSFORMS.build(dict(pad, size=size[::-1]))

    def transform(self, results: DetResults) -> DetResults:
        """Pad ``results['img']`` (H, W, C), masks and semantic map on the right and at the bottom."""
        height, width = results['img'].shape[:2]
        portrait = height > width
        largest = self.size[::-1] if portrait else self.size
        if width > largest[0] or height > largest[1]:
            raise ValueError(f'size must not be smaller than an image, got {self.size} for one of {width} x {height}')
        results = (self._portrait if portrait else self._landscape)(results)
        results['img_shape'] = (height, width)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, pad_val={self.pad_val})'

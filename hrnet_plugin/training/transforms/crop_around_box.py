"""Random crop around an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from numpy.typing import NDArray

from hrnet_plugin.checks import check_ints
from hrnet_plugin.registry import TRANSFORMS
from hrnet_plugin.training.transforms.results import DetResults


@TRANSFORMS.register_module()
class RandomCropAroundBox(BaseTransform):
    """Random crop around one of the objects, as in the recipe 'ResizeCrop' of the official detection code.

    Objects with their center in the crop are kept, and clipped to it. Ignored boxes, e.g. crowds, are not chosen as the
    center. Images without objects are cropped at a random position.

    Args:
        size: Width and height of the crop of a landscape image, in pixels. For portrait images, height and width. The
            crop is smaller if the image is.
        noise: Maximum offset in x and y between the centers of crop and object, in pixels. Default: (30, 10).

    Raises:
        TypeError, ValueError: If an argument is not a pair of integers.
    """

    def __init__(self, size: Sequence[int], noise: Sequence[int] = (30, 10)) -> None:
        self.size, self.noise = check_ints('size', size, length=2), check_ints('noise', noise, length=2, least=0)

    def transform(self, results: DetResults) -> DetResults:
        """Crop ``results['img']`` (H, W, C), its boxes, labels, masks and semantic map."""
        height, width = results['img'].shape[:2]
        size = self.size[::-1] if height > width else self.size
        crop_w, crop_h = min(size[0], width), min(size[1], height)
        boxes = results.get('gt_bboxes')
        centers = np.zeros((0, 2)) if boxes is None else boxes.centers.numpy()
        ignored = results.get('gt_ignore_flags', np.zeros(len(centers), bool))
        x, y = self._corner(centers[~ignored], (width, height), (crop_w, crop_h))
        results['img'] = results['img'][y:y + crop_h, x:x + crop_w]
        results['img_shape'] = results['img'].shape[:2]
        if results.get('gt_seg_map') is not None:
            results['gt_seg_map'] = results['gt_seg_map'][y:y + crop_h, x:x + crop_w]
        if boxes is not None:
            self._crop_objects(results, centers, np.array([x, y, x + crop_w, y + crop_h]))
        return results

    @cache_randomness
    def _corner(self, centers: NDArray[np.float64], image: tuple[int, int], crop: tuple[int, int]) -> tuple[int, int]:
        """Return x and y of the top left corner of the crop."""
        room = np.subtract(image, crop)
        if len(centers) == 0:
            return tuple(np.random.randint(0, room + 1))
        noise = np.array([np.random.randint(-most, most + 1) for most in self.noise])
        corner = np.round(centers[np.random.randint(len(centers))] - np.divide(crop, 2)).astype(int) + noise
        return tuple(np.clip(corner, 0, room))

    @staticmethod
    def _crop_objects(results: DetResults, centers: NDArray[np.float64], window: NDArray[np.int64]) -> None:
        inside = ((centers > window[:2]) & (centers < window[2:])).all(axis=1)
        boxes = results['gt_bboxes'][inside]
        boxes.translate_([-int(window[0]), -int(window[1])])
        boxes.clip_(results['img_shape'])
        results['gt_bboxes'] = boxes
        for key in ('gt_bboxes_labels', 'gt_ignore_flags'):
            if key in results:
                results[key] = results[key][inside]
        if results.get('gt_masks') is not None:
            results['gt_masks'] = results['gt_masks'][np.flatnonzero(inside)].crop(window)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(size={self.size}, noise={self.noise})'

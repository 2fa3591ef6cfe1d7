"""Crops of persons for pose estimators, and keypoints in pixels of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.prediction.metadata import Resizing


@dataclass(frozen=True, kw_only=True, eq=False)
class PersonCrop:
    """Affine crop of one person.

    Attributes:
        pixels: Crop, shape (H, W, C).
        center: Center (x, y) of the crop in the image.
        extent: Width and height of the crop in the image.
    """

    pixels: NDArray[Any]
    center: NDArray[np.float32]
    extent: NDArray[np.float32]

    def to_image(self, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map keypoints of shape (K, 2) from the crop to the image as mmpose does, with and without UDP."""
        size = np.array(self.pixels.shape[1::-1])
        return (keypoints / size * self.extent + self.center - 0.5 * self.extent).astype(np.float32)


def crop_person(pixels: NDArray[Any], box: NDArray[np.float32], resizing: Resizing) -> PersonCrop:
    """Crop a person as mmpose's ``GetBBoxCenterScale`` and ``TopdownAffine`` do.

    Args:
        pixels: Image, shape (H, W, C).
        box: Box (x1, y1, x2, y2), shape (4, ).
        resizing: Resizing with the mode 'person'.

    Raises:
        ValueError: If the box has no area, or the image cannot be transformed.
    """
    if resizing.size is None:
        raise ValueError('size must be two numbers for crops of persons, got None')
    width, height = resizing.size
    center, (box_width, box_height) = (box[2:] + box[:2]) * 0.5, (box[2:] - box[:2]) * resizing.box_padding
    if not (np.isfinite(box).all() and min(box_width, box_height) > 0):
        raise ValueError(f'box must have a positive width and height, got {box.tolist()}')
    ratio = width / height
    extent = np.array([box_width, box_width / ratio] if box_width > box_height * ratio
                      else [box_height * ratio, box_height], np.float32)
    matrix = (_udp_matrix if resizing.use_udp else _matrix)(center, extent, (width, height))
    try:
        crop = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR)
    except cv2.error as error:
        raise ValueError(f'image must have channels and a data type that OpenCV transforms, got {pixels.dtype} of '
                         f'shape {pixels.shape}') from error
    return PersonCrop(pixels=crop.reshape(height, width, -1), center=center, extent=extent)


def _matrix(center: NDArray[np.float32], extent: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the transform that maps the center and the left edge of a box to those of the crop."""
    width, height = size
    half = extent[0] * 0.5
    source = np.array([center, center - [half, 0], center + [-half, half]], np.float32)
    target = np.array([[width / 2, height / 2], [0, height / 2], [0, (height + width) / 2]], np.float32)
    return cv2.getAffineTransform(source, target)


def _udp_matrix(center: NDArray[np.float32], extent: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the transform that maps the corners of a box to the centers of the crop's corner pixels."""
    scale = (np.array(size) - 1) / extent
    offset = scale * (0.5 * extent - center)
    return np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]]], np.float32)

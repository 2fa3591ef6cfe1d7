"""Conversion of images to the input of exported models."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmcv.image import imrescale, imresize
from numpy.typing import NDArray

from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing


def resize_image(pixels: NDArray[Any], resizing: Resizing) -> NDArray[Any]:
    """Resize an image bilinearly with the rounding of the hosts' ``Resize``.

    Args:
        pixels: Image, shape (H, W, C).
        resizing: Resizing with the mode 'keep_ratio', 'fixed' or 'none'.

    Raises:
        ValueError: If the image cannot be resized, e.g. if its side would have no pixels.
    """
    if resizing.size is None:
        return pixels
    resize = imrescale if resizing.mode == 'keep_ratio' else imresize
    height, width, channels = pixels.shape
    try:
        resized = resize(pixels, resizing.size, backend=resizing.backend)
    except Exception as error:  # OpenCV and Pillow have their own types
        raise ValueError(f'image must have a size and data type that can be resized, got {width}x{height} pixels of '
                         f'{pixels.dtype}') from error
    return resized.reshape(*resized.shape[:2], channels)  # OpenCV removes the axis of one channel


def to_input(images: NDArray[Any], metadata: ExportMetadata) -> NDArray[np.float32]:
    """Return images as the input of a model.

    Args:
        images: Images in the order of mmcv, shape (B, H, W, C).
        metadata: Description of the model.

    Returns:
        Images, shape (B, C, H, W).
    """
    if metadata.channel_order == 'RGB':
        images = images[..., ::-1]
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), np.float32)


def check_image(name: str, pixels: NDArray[Any], channels: int) -> NDArray[Any]:
    """Return an image as an array of shape (H, W, C).

    Args:
        name: Name of the image for messages.
        pixels: Image, shape (H, W, C), or (H, W) with one channel.
        channels: Number of channels of the model.

    Raises:
        ValueError: If the image is empty, or has another number of channels.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or not pixels.size or pixels.dtype.kind not in 'uif':
        raise ValueError(f'{name} must be an image of shape (H, W, {channels}), got {pixels.dtype} of shape '
                         f'{pixels.shape}')
    if pixels.shape[2] != channels:
        raise ValueError(f'{name} must have {channels} channels for this model, got {pixels.shape[2]}')
    return pixels

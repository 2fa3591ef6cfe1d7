"""Reading of image files for exported models."""

from __future__ import annotations

from typing import Any

from mmcv.image import imfrombytes
from numpy.typing import NDArray

from hrnet_plugin.json_files import read_bytes


def read_pixels(path: str, channels: int) -> NDArray[Any]:
    """Read an image as mmcv does.

    Args:
        path: Image file.
        channels: Number of channels of the model. Images for 3 channels are read in BGR order, others as they are.

    Raises:
        OSError: If the file is missing or not readable.
        ValueError: If it is no complete image.
    """
    content = read_bytes(path, 'an image', max_bytes=None)
    try:
        pixels = imfrombytes(content, 'color' if channels == 3 else 'unchanged') if content else None
    except Exception as error:  # OpenCV has its own types
        cause = ' '.join(str(error).split())
        raise ValueError(f'{path} must be an image that OpenCV reads, got {cause:.200}') from None
    if pixels is None:
        raise ValueError(f'{path} must be an image that OpenCV reads, got other or damaged content')
    return pixels

"""Reading of image files for exported models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmcv.image import imread
from numpy.typing import NDArray

from hrnet_plugin.image_headers import read_header
from hrnet_plugin.json_files import check_regular


def read_pixels(path: str, channels: int) -> NDArray[Any]:
    """Read an image as mmcv does.

    Args:
        path: Image file.
        channels: Number of channels of the model. Images for 3 channels are read in BGR order, others as they are.

    Raises:
        OSError: If the file is missing or not readable.
        ValueError: If it is no complete image.
    """
    check_regular(path, 'an image')
    try:
        read_header(Path(path))  # OpenCV returns images that are cut off
        pixels = imread(path, 'color' if channels == 3 else 'unchanged')
    except OSError:
        raise
    except Exception as error:  # OpenCV has its own types
        raise ValueError(f'{path} must be a complete image, got {" ".join(str(error).split()):.200}') from None
    if pixels is None:
        raise ValueError(f'{path} must be a complete image, got one that OpenCV does not read')
    return pixels

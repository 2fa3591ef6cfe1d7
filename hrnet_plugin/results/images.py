"""Images for visualizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from hrnet_plugin.array_types import Pixels

if TYPE_CHECKING:
    from hrnet_plugin.results.prediction import Prediction


def image_of(prediction: Prediction) -> Pixels:
    """Return the image of a prediction in RGB order, shape (H, W, 3). It is a copy.

    Raises:
        OSError, ValueError: If the file of the image cannot be read, or has another size.
    """
    if prediction.image is not None:
        return np.array(prediction.image)
    try:
        with Image.open(prediction.name) as file:
            # loaders of configs may ignore the EXIF orientation
            for image in (ImageOps.exif_transpose(file), file):
                if image is not None and (image.height, image.width) == prediction.size:
                    return _eight_bits(np.array(image if image.mode.startswith(('I', 'F')) else image.convert('RGB')))
            found = f'{file.width} x {file.height}'
    except FileNotFoundError:
        raise
    except Exception as error:  # PIL raises many types of errors for broken images
        raise ValueError(f'{prediction.name} must be an image that Pillow reads, got {error}') from None
    height, width = prediction.size
    raise ValueError(f'{prediction.name} must be the predicted image of {width} x {height} pixels, got {found}')


def displayed(pixels: NDArray[Any]) -> Pixels:
    """Convert an image in the order of OpenCV to RGB with 8 bits.

    Args:
        pixels: Image, shape (H, W) or (H, W, C). Of more than three channels, the first three are BGR.
    """
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return _eight_bits(pixels[..., 2::-1] if pixels.shape[2] >= 3 else pixels[..., 0])


def _eight_bits(pixels: NDArray[Any]) -> Pixels:
    """Convert values of other types to 0 to 255, and gray images to three channels."""
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        low, high = (0., 255.) if low >= 0 and high <= 255 else (low, high)
        pixels = ((pixels - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels

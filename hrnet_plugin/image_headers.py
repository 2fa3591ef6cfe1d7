"""Size, channels and EXIF orientation of image files."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.image_bounds import check_expansion, check_png_chunks, png_pixels

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 274  # EXIF tag
_MODES = {'1': 'gray', 'L': 'gray', 'LA': 'gray with alpha', 'P': 'palette', 'PA': 'palette', 'RGBA': 'RGB with alpha',
          'I;16': 'gray of 16 bit', 'I;16B': 'gray of 16 bit', 'I;16L': 'gray of 16 bit', 'I': 'gray of 32 bit',
          'F': 'gray of 32 bit'}


class UnreadableImageError(ValueError):
    """Image file that is unreadable or truncated."""


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """Properties of an image file.

    Attributes:
        size: Height and width of the stored pixels.
        rotated_size: Height and width after rotation by the EXIF orientation, as OpenCV loads it.
        orientation: EXIF orientation, 1 if there is none.
        mode: Channels, e.g. 'RGB', 'gray' or 'gray of 16 bit'.
    """

    size: tuple[int, int]
    rotated_size: tuple[int, int]
    orientation: int
    mode: str


def read_header(path: Path) -> ImageHeader:
    """Read the header of an image, and decode it to see if it is complete.

    Raises:
        FileNotFoundError: If the file does not exist.
        UnreadableImageError: If neither PIL nor OpenCV reads the file, or if it is truncated.
    """
    try:
        return _open(path)
    except (FileNotFoundError, UnreadableImageError):
        raise
    except Exception as error:  # PIL raises many types of errors for broken images
        raise UnreadableImageError(str(error) or type(error).__name__) from None


def _open(path: Path) -> ImageHeader:
    from PIL import Image, UnidentifiedImageError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of images with many pixels
            with Image.open(path) as image:
                check_expansion(path, image.height * image.width)
                return _read_header(path, image)
    except Image.DecompressionBombError:
        check_expansion(path, 2 * (Image.MAX_IMAGE_PIXELS or 0))
    except UnidentifiedImageError:
        check_expansion(path, 4 * png_pixels(path))  # broken, and OpenCV makes copies of all pixels
    return _decode_header(path)


def _read_header(path: Path, image: Image) -> ImageHeader:
    size, mode = (image.height, image.width), image.mode
    orientation = int(image.getexif().get(_ORIENTATION) or 1)
    rotated = size
    if orientation != 1 and orientation in range(1, 9):
        rotated = _size(_decode(path))  # OpenCV does not read the orientation of all formats
    else:
        orientation = 1
    image.draft(None, (1, 1))  # JPEG: decode at an eighth of the size
    image.load()
    return ImageHeader(size=size, rotated_size=rotated, orientation=orientation, mode=_MODES.get(mode, mode))


def _decode_header(path: Path) -> ImageHeader:
    """Return the header of a file that PIL does not read."""
    pixels = _decode(path, cv2.IMREAD_UNCHANGED)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    mode = {1: 'gray', 3: 'RGB', 4: 'RGB with alpha'}.get(channels, f'{channels} channels')
    if pixels.dtype != np.uint8:
        mode += f' of {8 * pixels.dtype.itemsize} bit'
    return ImageHeader(size=_size(pixels), rotated_size=_size(pixels), orientation=1, mode=mode)


def _size(pixels: NDArray[Any]) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]


def _decode(path: Path, flag: int = cv2.IMREAD_COLOR) -> NDArray[Any]:
    check_png_chunks(path)
    try:
        pixels = cv2.imdecode(np.fromfile(path, np.uint8), flag)  # as mmcv does
    except (OSError, cv2.error) as error:
        raise UnreadableImageError(str(error)) from None
    if pixels is None:
        raise UnreadableImageError('no image of a known format')
    return pixels

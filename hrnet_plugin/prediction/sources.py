"""Sources of images: files, folders, glob patterns, videos and arrays. Images are read lazily and in order."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrnet_plugin.prediction.video import VIDEO_SUFFIXES, Video

#: Suffixes of the images that are read from folders, in lower case.
IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.pgm', '.png', '.ppm', '.tif', '.tiff', '.webp')
#: Image as path, array in the order of OpenCV, or image of Pillow.
Picture = str | Path | NDArray[Any] | Image.Image


@dataclass(frozen=True, kw_only=True, eq=False)
class InputImage:
    """Image to predict.

    Attributes:
        name: Path of the image, or name of the video frame or array.
        pixels: Image in BGR order as mmcv reads it, shape (H, W, C), or None if the file has not been read yet.
        boxes: Boxes (x1, y1, x2, y2) of persons for pose estimators, shape (N, 4). None for the whole image.
        box_scores: Scores of the boxes, shape (N, ). None for 1.
        relative: Path below the folder of the source, unique in the source.
    """

    name: str
    pixels: NDArray[Any] | None = None
    boxes: NDArray[np.float32] | None = None
    box_scores: NDArray[np.float32] | None = None
    relative: str = ''


@dataclass(frozen=True, kw_only=True)
class Source:
    """Images in order, which can be iterated over several times.

    Attributes:
        images: Images that are read when they are predicted, or frames of a video.
        total: Number of images. For videos, the number in the header of the file, or None.
        video: Video of the frames, or None.
    """

    images: Iterable[InputImage]
    total: int | None
    video: Video | None = None

    def __iter__(self) -> Iterator[InputImage]:
        return iter(self.images)


def open_source(source: Picture | Sequence[Picture]) -> Source:
    """Find the images of a source.

    Of a folder, files with a suffix of :data:`IMAGE_SUFFIXES` are read, without subfolders. A glob pattern reads all
    files that match, where ``**`` includes subfolders. The order is that of the names, where numbers are compared as
    numbers: ``2.png`` precedes ``10.png``. Frames of videos are in order.

    Args:
        source: Path of an image, folder or video, or a glob pattern. Or an array in BGR order, shape (H, W, C) or
            (H, W), an image of Pillow, or a sequence of images.

    Raises:
        OSError: If a file does not exist, or a folder or video cannot be read.
        TypeError: If the source is of another type.
        ValueError: If it has no images.
    """
    if isinstance(source, (str, os.PathLike)):
        return _open_path(os.fspath(source))
    if isinstance(source, (np.ndarray, Image.Image)):
        return Source(images=[open_image(source)], total=1)
    if not isinstance(source, Sequence):
        raise TypeError('source must be a path, a glob pattern, an array (H, W, C), an image of Pillow or a sequence '
                        f'of images, got {type(source).__name__}')
    if not source:
        raise ValueError('source must have images, got an empty sequence')
    return Source(images=[open_image(image, index) for index, image in enumerate(source)], total=len(source))


def open_image(image: Picture, index: int = 0) -> InputImage:
    """Return one image. Files are not read yet.

    Args:
        image: Path, array in the order of OpenCV, or image of Pillow.
        index: Position in a sequence, which names arrays.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If the image is of another type.
    """
    name = f'array{index}'
    if isinstance(image, (str, os.PathLike)):
        path = Path(image)
        if not path.is_file():
            raise FileNotFoundError(f'image must be a file, got {str(path)!r}')
        return InputImage(name=str(path), relative=path.name)
    if isinstance(image, Image.Image):
        return InputImage(name=name, pixels=_from_pillow(image), relative=f'{name}.png')
    if not isinstance(image, np.ndarray):
        raise TypeError(f'image must be a path, an array or an image of Pillow, got {type(image).__name__}')
    if image.ndim not in (2, 3) or not image.size or image.dtype.kind not in 'uif':
        raise ValueError(f'image must be an array of numbers of shape (H, W, C) or (H, W), got {image.dtype} of shape '
                         f'{image.shape}')
    return InputImage(name=name, pixels=image[..., None] if image.ndim == 2 else image, relative=f'{name}.png')


def _from_pillow(image: Image.Image) -> NDArray[Any]:
    if image.mode in ('L', '1'):
        return np.asarray(image.convert('L'))[..., None]
    return np.ascontiguousarray(np.asarray(image.convert('RGB'))[..., ::-1])


def _open_path(path: str) -> Source:
    if os.path.isdir(path):
        names = [name for name in os.listdir(path) if Path(name).suffix.lower() in IMAGE_SUFFIXES
                 and os.path.isfile(os.path.join(path, name))]
        if not names:
            raise ValueError(f'source must be a folder with images ({" ".join(IMAGE_SUFFIXES)}), got {path!r} without. '
                             "For images in subfolders, give a pattern such as 'FOLDER/**/*.png'")
        return _files([os.path.join(path, name) for name in names], path)
    if os.path.exists(path):
        if Path(path).suffix.lower() in VIDEO_SUFFIXES:
            return _frames(path)
        return _files([path], os.path.dirname(path))
    if not glob.has_magic(path):
        raise FileNotFoundError(f'source must be an image, a folder, a video or a glob pattern, got {path!r}, which '
                                'does not exist')
    found = [name for name in glob.glob(path, recursive=True) if os.path.isfile(name)]
    if not found:
        raise ValueError(f'source must match files, got the pattern {path!r}, which matches none')
    # absolute, since '..' in a pattern must not lead out of the common folder
    return _files(found, os.path.commonpath([os.path.dirname(os.path.abspath(name)) for name in found]))


def _files(paths: Iterable[str], root: str) -> Source:
    ordered = sorted(paths, key=_natural)
    images = [InputImage(name=path, relative=os.path.relpath(path, root or '.')) for path in ordered]
    return Source(images=images, total=len(images))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that compares numbers in names as numbers."""
    return [(int(part), '') if part.isdecimal() else (-1, part) for part in re.split(r'(\d+)', name)], name


def _frames(path: str) -> Source:
    video = Video(path)
    return Source(images=_FrameImages(video), total=video.total, video=video)


@dataclass(frozen=True)
class _FrameImages:
    """Frames of a video as images, named by the file and their number."""

    video: Video

    def __iter__(self) -> Iterator[InputImage]:
        name = Path(self.video.path).name
        for index, pixels in enumerate(self.video):
            yield InputImage(name=f'{self.video.path}#{index:06d}', pixels=pixels, relative=f'{name}#{index:06d}.jpg')

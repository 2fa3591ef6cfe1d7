"""Visualizations as data URLs in the page, whose folders may come from anyone."""

from __future__ import annotations

import base64
import io
import logging
import os
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.logging import print_log

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.visualizations import is_inside

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_IMAGES = 6  # per row
_MAX_ON_PAGE = 600  # 25 MB
_MAX_FILES = 100_000  # of a folder
_MAX_BYTES = 64 * 2**20  # of a file
_MAX_PIXELS = 50_000_000  # the largest photos; 200 MB with four channels
_IMAGE_WIDTH = 640
_MAX_WARNINGS = 10
_SUFFIXES = '.jpg', '.jpeg', '.png'


def warn_of_refused_folders(entries: Sequence[Entry]) -> None:
    """Log a warning for each of the first folders that the page does not read, and the number of the others."""
    folders = list(filter(None, dict.fromkeys(entry.refused_visualizations for entry in entries)))
    for folder in folders[:_MAX_WARNINGS]:
        # repr escapes control characters in folder names
        print_log(f'Images in {folder!r} are left out: the folder must be in a run folder (TIME/TIME.log) below the '
                  'folder of the store. To include a folder that you trust, add --pictures FOLDER', logger='current',
                  level=logging.WARNING)
    if len(folders) > _MAX_WARNINGS:
        print_log(f'Images in {len(folders) - _MAX_WARNINGS} more folders are left out', logger='current',
                  level=logging.WARNING)


class PageImages:
    """Images of a page, each of which is read once. Their number on the page is bounded."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._addresses: dict[str, str] = {}
        self._left = _MAX_ON_PAGE

    def common_names(self, entries: Sequence[Entry]) -> list[str]:
        """Return the names of the images that most rows have, of those that at least two rows have."""
        names = Counter(name for entry in entries if entry.conditions.pictures
                        for name in self._list(entry.conditions.pictures))
        shared = [name for name, number in names.items() if number > 1]
        return sorted(shared, key=lambda name: (-names[name], name))[:_MAX_IMAGES]

    def embed(self, entry: Entry, names: Sequence[str]) -> dict[str, str]:
        """Return the images of a row as data URLs by their names.

        Images that cannot be read, or exceed the number of images on the page, are left out with a warning.

        Args:
            entry: Row with its folder of visualizations.
            names: File names of the images, of which the folder may lack some.
        """
        folder = entry.conditions.pictures
        known = set(self._list(folder)) if folder else set()
        found = {name: self._embed(os.path.join(folder, name)) for name in names if name in known}
        return {name: address for name, address in found.items() if address}

    def _list(self, folder: str) -> list[str]:
        if folder not in self._names:
            self._names[folder] = _image_names(folder)
        return self._names[folder]

    def _embed(self, file: str) -> str:
        if self._left == 0:
            print_log(f'The page has {_MAX_ON_PAGE} images. All others are left out', logger='current',
                      level=logging.WARNING)
        self._left -= 1
        if self._left < 0:
            return ''
        if file not in self._addresses:
            self._addresses[file] = _embed_image(Path(file))
        return self._addresses[file]


def _image_names(folder: str) -> list[str]:
    """Return the names of the images in a folder, or an empty list if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in islice(entries, _MAX_FILES)
                    if entry.name.lower().endswith(_SUFFIXES) and entry.is_file()]
    except OSError:
        return []


def _embed_image(file: Path) -> str:
    """Return an image as a data URL, or log a warning and return an empty string."""
    from PIL import Image
    try:
        if not is_inside(file, file.parent):
            raise ValueError('image must be in its folder, got a symbolic link that leads out of it')
        if (size := file.stat().st_size) > _MAX_BYTES:
            raise ValueError(f'image must have at most {_MAX_BYTES} bytes, got {size}')
        with Image.open(file, formats=('JPEG', 'PNG')) as image:  # not EPS, for which PIL runs Ghostscript
            return _encode(image)
    except Exception as error:  # PIL raises many types of errors for a broken image
        # repr escapes control characters in file names
        print_log(f'Image {str(file)!r} is left out: {error}', logger='current', level=logging.WARNING)
        return ''


def _encode(image: Image) -> str:
    """Return a small copy of the first frame without metadata as a data URL.

    Raises:
        ValueError: If the image has too many pixels, or cannot be decoded.
    """
    from PIL import ImageOps
    if image.width * image.height > _MAX_PIXELS:  # before the pixels are decoded
        raise ValueError(f'image must have at most {_MAX_PIXELS} pixels, got {image.width} x {image.height}')
    small = image.convert('RGB') if image.mode in ('1', 'P', 'PA') else image  # others shrink before the conversion
    small.thumbnail((_IMAGE_WIDTH, _IMAGE_WIDTH))
    upright = ImageOps.exif_transpose(small).convert('RGB')
    upright.info.clear()  # PIL would write its comment
    out = io.BytesIO()
    upright.save(out, 'JPEG', quality=80)
    return 'data:image/jpeg;base64,' + base64.b64encode(out.getvalue()).decode()

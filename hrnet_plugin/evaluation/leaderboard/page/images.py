"""Visualizations as data URLs in the page."""

from __future__ import annotations

import base64
import io
import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.logging import print_log

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.visualizations import is_inside

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_IMAGES = 6  # per row
_IMAGE_WIDTH = 640


def warn_of_refused_folders(entries: Sequence[Entry]) -> None:
    """Log a warning for each folder of visualizations that the page does not read."""
    for folder in filter(None, dict.fromkeys(entry.refused_visualizations for entry in entries)):
        # repr escapes control characters in folder names
        print_log(f'Images in {folder!r} are left out: the folder must be in a run folder (TIME/TIME.log) below the '
                  'folder of the store. To include a folder that you trust, add --pictures FOLDER', logger='current',
                  level=logging.WARNING)


def common_image_names(entries: Sequence[Entry]) -> list[str]:
    """Return the names of the images that most rows have, of those that at least two rows have."""
    names = Counter(name for entry in entries if entry.conditions.pictures
                    for name in _image_names(entry.conditions.pictures))
    shared = [name for name, number in names.items() if number > 1]
    return sorted(shared, key=lambda name: (-names[name], name))[:_MAX_IMAGES]


def _image_names(folder: str) -> list[str]:
    """Return the names of the images in a folder, or an empty list if it cannot be read."""
    try:
        return [name for name in os.listdir(folder) if Path(name).suffix.lower() in ('.jpg', '.jpeg', '.png')]
    except OSError:
        return []


def embed_images(entry: Entry, names: Sequence[str]) -> dict[str, str]:
    """Return the images of a row as data URLs by their names. Images that cannot be read are left out.

    Args:
        entry: Row with its folder of visualizations.
        names: File names of the images, of which the folder may lack some.
    """
    files = [Path(folder) / name for name in names] if (folder := entry.conditions.pictures) else []
    found = {file.name: _embed_image(file) for file in files if os.path.isfile(file)}
    return {name: address for name, address in found.items() if address}


def _embed_image(file: Path) -> str:
    """Return an image as a data URL, or log a warning and return an empty string."""
    from PIL import Image
    try:
        if not is_inside(file, file.parent):
            raise ValueError('image must be in its folder, got a symbolic link that leads out of it')
        return _encode(Image.open(file, formats=('JPEG', 'PNG')))  # not EPS, for which PIL runs Ghostscript
    except Exception as error:  # PIL raises many types of errors for a broken or huge image
        print_log(f'Image {str(file)!r} is left out: {error}', logger='current', level=logging.WARNING)
        return ''


def _encode(image: Image) -> str:
    with image:
        converted = image.convert('RGB')
    converted.thumbnail((_IMAGE_WIDTH, _IMAGE_WIDTH))
    out = io.BytesIO()
    converted.save(out, 'JPEG', quality=80)
    return 'data:image/jpeg;base64,' + base64.b64encode(out.getvalue()).decode()

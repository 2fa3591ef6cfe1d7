"""Archive of detections for the COCO evaluation server."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from hrnet_plugin.evaluation.detections import keep_shape
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.kinds import KINDS
from hrnet_plugin.evaluation.submission.stream import read_detections
from hrnet_plugin.files import atomic_write

# split that the server evaluates -> number of images
SPLITS = {'test-dev2017': 20288, 'val2017': 5000}


def archive_path(folder: Path, kind: str, split: str, name: str) -> Path:
    """Return the path of a new archive, with the file name that the server requires.

    Args:
        folder: Folder of the archive.
        kind: 'bbox', 'segm' or 'keypoints'.
        split: One of :data:`SPLITS`.
        name: Name of the method. Letters, digits, dots and hyphens are allowed.

    Raises:
        FileExistsError: If the archive exists.
        ValueError: If the split is unknown or the name is invalid.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
    if not re.fullmatch(r'[A-Za-z0-9.-]+', name):
        raise ValueError(f'name must be made of letters, digits, dots and hyphens, got {name!r}')
    target = folder / f'{KINDS[kind].archive}_{split}_{name}_results.zip'
    if target.exists():
        raise FileExistsError(f'name must be new in the folder, got {name!r}: {target} exists. Choose another name')
    return target


def check_split(split: str, images: SplitImages) -> None:
    """Raise an error if images are not those of a split.

    Raises:
        ValueError: If the number of images is not that of the split.
    """
    if len(images.sizes) != SPLITS[split]:
        raise ValueError(f'images must be the {SPLITS[split]} images of {split}, got {len(images.sizes)}')


def write_archive(results: str | Path, kind: str, target: Path) -> None:
    """Write checked detections to an archive.

    Keys of other kinds are left out. :func:`~hrnet_plugin.evaluation.detections.keep_shape` has the reason.

    Args:
        results: JSON file of detections in COCO's results format.
        kind: 'bbox', 'segm' or 'keypoints'.
        target: Path of the archive, as :func:`archive_path` returns it.
    """
    with atomic_write(target) as scratch, zipfile.ZipFile(scratch, 'w', zipfile.ZIP_DEFLATED) as zipped, zipped.open(
            f'{target.stem}.json', 'w', force_zip64=True) as inner:
        before = b'['
        for detection in read_detections(results):
            inner.write(before + json.dumps(keep_shape(kind, detection), allow_nan=False).encode())
            before = b',\n'
        inner.write(b']')

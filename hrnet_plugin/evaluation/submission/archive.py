"""The archive that COCO's server takes."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

from hrnet_plugin.evaluation.detections import only
from hrnet_plugin.evaluation.submission.images import SplitImages
from hrnet_plugin.evaluation.submission.stream import read_detections
from hrnet_plugin.files import replacing

# of the splits that the server evaluates, how many images there are
SPLITS = {'test-dev2017': 20288, 'val2017': 5000}


def archive_path(folder: Path, split: str, name: str) -> Path:
    """Where an archive goes, under the name that the server wants.

    Args:
        folder: For it.
        split: One of :data:`SPLITS`.
        name: Of the method.

    Raises:
        FileExistsError: If it is there.
        ValueError: If the server has no such split, or would not take the name.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
    if not re.fullmatch(r'[A-Za-z0-9.-]+', name):
        raise ValueError(f'name must be made of letters, digits, dots and hyphens, got {name!r}')
    target = folder / f'detections_{split}_{name}_results.zip'
    if target.exists():
        raise FileExistsError(f'name must be new in the folder, got {name!r}, and {target} is there')
    return target


def check_split(split: str, images: SplitImages) -> None:
    """Refuse images that are not those of a split.

    Raises:
        ValueError: If there are more or fewer.
    """
    if len(images.sizes) != SPLITS[split]:
        raise ValueError(f'images must be the {SPLITS[split]} of {split}, got {len(images.sizes)}')


def write_archive(results: str | Path, kind: str, target: Path) -> None:
    """Write the archive of a file of detections, which has been checked.

    Boxes of masks are left out (:func:`~hrnet_plugin.evaluation.detections.only`).

    Args:
        results: The file.
        kind: 'bbox' or 'segm'.
        target: Of :func:`archive_path`.
    """
    with replacing(target) as scratch, zipfile.ZipFile(scratch, 'w', zipfile.ZIP_DEFLATED) as zipped, zipped.open(
            f'{target.stem}.json', 'w', force_zip64=True) as inner:
        before = b'['
        for detection in read_detections(results):
            inner.write(before + json.dumps(only(kind, detection), allow_nan=False).encode())
            before = b',\n'
        inner.write(b']')

"""The archive that COCO's server takes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

SPLITS = ('test-dev2017', 'test-challenge2017', 'val2017')


def archive_name(split: str, name: str) -> str:
    """Name without its ending, as the server wants archive and file to be called.

    Args:
        split: 'test-dev2017', 'test-challenge2017' or 'val2017'.
        name: Of the method.

    Raises:
        ValueError: If the server has no such split, or would not take the name.
    """
    if split not in SPLITS:
        raise ValueError(f'split must be one of {", ".join(SPLITS)}, got {split!r}')
    if not re.fullmatch(r'[A-Za-z0-9.-]+', name):
        raise ValueError(f'name must be made of letters, digits, dots and hyphens, got {name!r}')
    return f'detections_{split}_{name}_results'


def write_archive(results: str | Path, folder: str | Path, split: str, name: str) -> Path:
    """Write the archive of a file of detections, which has been checked; return its path.

    Args:
        results: The file.
        folder: Where the archive goes.
        split, name: As in :func:`archive_name`.

    Raises:
        FileExistsError: If the archive is there.
        ValueError: As :func:`archive_name` does.
    """
    title = archive_name(split, name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    target, part = folder / f'{title}.zip', folder / f'{title}.zip.part'
    if target.exists():
        raise FileExistsError(f'name must be new, got {name!r}, and {target} is there')
    try:
        with zipfile.ZipFile(part, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.write(results, f'{title}.json')
        part.replace(target)  # all of it or nothing
    finally:
        part.unlink(missing_ok=True)
    return target

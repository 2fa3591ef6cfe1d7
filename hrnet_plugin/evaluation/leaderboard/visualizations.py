"""Recorded folders of visualizations, of which the page reads only trusted ones.

A store may come from anyone, so a record may contain any path. The page embeds images only from

- a run folder of mmengine below the folder of the store, or a folder in it: ``TIME/``, with the log ``TIME/TIME.log``;
- a folder given by ``--pictures``, or a folder in it.

Symbolic links and ``..`` are resolved before the check. A store in the home directory therefore gives no access to
folders such as ``~/Pictures``. Neither does a symbolic link in a run folder. Paths outside of these folders are not
even looked up, because a path may mount a disk or connect to another machine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from hrnet_plugin.json_types import Json

_TIME = re.compile(r'[0-9]{8}_[0-9]{6}')  # name of a run folder of mmengine
_MAX_LENGTH = 4096  # characters of a path; no system opens longer ones


def resolve_folder(recorded: Json, store_folder: str | Path, roots: Iterable[str | Path] = ()) -> str:
    """Return the absolute path of a folder without symbolic links, or '' if it does not exist.

    A path outside of ``store_folder`` and ``roots`` is returned without a look at the file system.

    Args:
        recorded: Value of ``pictures`` in a record, of any type. Relative paths start at ``store_folder``.
        store_folder: Folder of the store.
        roots: Folders that the user trusts.
    """
    if not isinstance(recorded, str) or not 0 < len(recorded) <= _MAX_LENGTH:
        return ''
    if recorded.startswith(('\\\\', '//')):  # UNC path: Windows would connect to another machine
        return ''
    try:
        path = os.path.abspath(os.path.join(store_folder, recorded))
        if not any(_is_below(path, root) for root in (store_folder, *roots)):
            return path
        folder = os.path.realpath(path)
    except (OSError, ValueError):  # e.g. a NUL character
        return ''
    return folder if os.path.isdir(folder) else ''


def is_trusted(folder: str, store_folder: str | Path, roots: Iterable[str | Path] = ()) -> bool:
    """Return True if the page may read the images in a folder.

    Args:
        folder: Result of :func:`resolve_folder`.
        store_folder: Folder of the store.
        roots: Folders that the user trusts.
    """
    if any(_is_below(folder, root) for root in roots):
        return True
    parents = [parent for parent in (Path(folder), *Path(folder).parents) if _is_below(parent, store_folder)]
    return any(_TIME.fullmatch(parent.name) and any(parent.glob(f'{parent.name}*.log')) for parent in parents)


def _is_below(path: str | Path, folder: str | Path) -> bool:
    """Return True if a path is a folder or below it, from the path alone."""
    return any(Path(path).is_relative_to(root) for root in (os.path.abspath(folder), os.path.realpath(folder)))


def is_inside(path: str | Path, folder: str | Path) -> bool:
    """Return True if a path is a folder or inside it, after symbolic links are resolved."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))

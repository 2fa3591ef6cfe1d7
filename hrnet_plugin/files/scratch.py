"""Scratch files and folders that a process locks, so that others remove them if it was killed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from hrnet_plugin.files.locks import try_lock, trying_lock

_PART = '.part'
_MAX_NAME_BYTES = 255
_STALE_SECONDS = 3600.  # longer than writing any file takes
# locks of other machines may be invisible
_MACHINE = hashlib.sha256(platform.node().encode(errors='replace')).hexdigest()[:8]
_NAME = re.compile(rf'\..*\.([0-9a-f]{{8}})[0-9a-f]{{8}}{re.escape(_PART)}', re.DOTALL)


def create_scratch(folder: Path, name: str, is_folder: bool) -> tuple[Path, int | None]:
    """Create an empty scratch file or folder, and lock it.

    Args:
        folder: Folder of the target, which must exist.
        name: Name of the target, of which the scratch name begins with as much as file systems allow.
        is_folder: Whether to create a folder.

    Returns:
        Path and descriptor of the lock, which must be closed. None on systems without locks.

    Raises:
        OSError: If the folder is not writable.
    """
    while True:
        end = f'.{_MACHINE}{uuid4().hex[:8]}{_PART}'
        start = os.fsencode(name)[:_MAX_NAME_BYTES - len(end) - 1].decode(errors='ignore')
        scratch = folder / f'.{start}{end}'
        if is_folder:
            scratch.mkdir()
        else:
            os.close(os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        if os.name != 'posix':  # open files cannot be renamed
            return scratch, None
        with suppress(FileNotFoundError):  # another process may take it for abandoned before it is locked
            descriptor = os.open(scratch, os.O_RDONLY if is_folder else os.O_RDWR)
            if try_lock(descriptor) is not False and scratch.exists():
                return scratch, descriptor
            os.close(descriptor)


def remove_abandoned(folder: Path) -> None:
    """Remove the scratch files and folders of killed processes."""
    with suppress(OSError):  # a folder that cannot be listed
        for name in os.listdir(folder):
            if found := _NAME.fullmatch(name):
                with suppress(OSError):  # another process may remove it at the same time
                    _remove_if_abandoned(folder / name, found[1] == _MACHINE)


def _remove_if_abandoned(scratch: Path, is_own_machine: bool) -> None:
    """Remove a scratch file if its lock is free. If the lock tells nothing, the age decides."""
    with trying_lock(scratch) as is_free:
        is_old = time.time() - scratch.stat().st_mtime > _STALE_SECONDS
        if is_free is False or not (is_old or (is_free and is_own_machine)):
            return
        if scratch.is_dir() and not scratch.is_symlink():
            shutil.rmtree(scratch)
        else:
            scratch.unlink()

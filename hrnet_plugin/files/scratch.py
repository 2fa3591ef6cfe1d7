"""Scratch files and folders that a process locks, so that others remove them if it was killed."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from uuid import uuid4

from hrnet_plugin.files.locks import try_lock, trying_lock

_PART = '.part'
_MAX_START_BYTES = 60  # some file systems allow only 143 bytes per name
_STALE_SECONDS = 3600.  # longer than writing any file takes
# locks of other machines may be invisible
_MACHINE = hashlib.sha256(platform.node().encode(errors='replace')).hexdigest()[:8]
_UNLOCKED = '0' * 8  # in place of the machine, for scratch files without a lock
_NAME = re.compile(rf'\..*\.([0-9a-f]{{8}})[0-9a-f]{{8}}{re.escape(_PART)}', re.DOTALL)


def create_scratch(folder: Path, name: str, is_folder: bool) -> tuple[Path, int | None]:
    """Create an empty scratch file or folder, and lock it.

    Args:
        folder: Folder of the target, which must exist.
        name: Name of the target, the start of which becomes part of the scratch name.
        is_folder: Whether to create a folder.

    Returns:
        Path and descriptor of the lock, which must be closed. None without locks, and where a lock would block writers.

    Raises:
        OSError: If the folder is not writable.
    """
    start = os.fsencode(name)[:_MAX_START_BYTES].decode(errors='ignore')
    machine = _MACHINE
    while True:
        scratch = folder / f'.{start}.{machine}{uuid4().hex[:8]}{_PART}'
        if is_folder:
            scratch.mkdir()
        else:
            os.close(os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
        if os.name != 'posix' or machine == _UNLOCKED:  # open files cannot be renamed on Windows
            return scratch, None
        with suppress(FileNotFoundError):  # another process may take it for abandoned before it is locked
            descriptor = os.open(scratch, os.O_RDONLY if is_folder else os.O_RDWR)
            is_locked = try_lock(descriptor) is not False and scratch.exists()
            if is_locked and (is_folder or _is_writable(scratch)):
                return scratch, descriptor
            os.close(descriptor)
            if is_locked:
                machine = _UNLOCKED
                scratch.unlink()


def _is_writable(scratch: Path) -> bool:
    """Return True if a locked file can be written by its path. On SMB mounts, locks are mandatory."""
    try:
        with scratch.open('rb+', buffering=0) as file:
            file.write(b'0')
            file.truncate(0)
    except OSError:
        return False
    return True


def is_empty_folder(folder: Path) -> bool:
    """Return True if a folder has at most scratch files and scratch folders."""
    return all(_NAME.fullmatch(name) for name in os.listdir(folder))


def remove_abandoned(folder: Path) -> None:
    """Remove the scratch files and folders of killed processes."""
    with suppress(OSError):  # a folder that cannot be listed
        for name in os.listdir(folder):
            if found := _NAME.fullmatch(name):
                with suppress(OSError):  # another process may remove it at the same time
                    _remove_if_abandoned(folder / name, found[1])


def _remove_if_abandoned(scratch: Path, machine: str) -> None:
    """Remove a scratch file if its lock is free. Without lock information, use the age."""
    # trying the lock of an unlocked file could block its writer
    with nullcontext() if machine == _UNLOCKED else trying_lock(scratch) as is_free:
        is_old = time.time() - scratch.stat().st_mtime > _STALE_SECONDS
        if is_free is False or not (is_old or (is_free and machine == _MACHINE)):
            return
        if scratch.is_dir() and not scratch.is_symlink():
            shutil.rmtree(scratch)
        else:
            scratch.unlink()

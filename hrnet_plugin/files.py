"""Files that are complete or not there, and lock files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_POLL_SECONDS = 0.2
_PART = '.part'
_OLD_SECONDS = 3600.  # no file takes that long to be written


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a scratch file that becomes ``path`` when the block ends, and is removed if the block fails.

    Whenever the process is killed, ``path`` is what it was before or all of what was written.

    Args:
        path: The file. Its folder is made if it is missing.

    Raises:
        OSError: If the folder cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f'.{path.name}.{uuid4().hex[:8]}{_PART}')
    scratch.touch(exist_ok=False)
    try:
        yield scratch
        _flush(scratch)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def remove_old_parts(folder: str | Path) -> None:
    """Remove the scratch files that processes killed more than an hour ago have left."""
    for path in Path(folder).glob(f'.*{_PART}'):
        with suppress(OSError):  # another process removes them, too
            if time.time() - path.stat().st_mtime > _OLD_SECONDS:
                path.unlink()


def _flush(path: Path) -> None:
    """Write a file through to the disk, where the file system can: it may have the new name first, and lose power."""
    with path.open('rb+') as file, suppress(OSError):
        os.fsync(file.fileno())


@contextmanager
def locked(path: Path, patience: float, message: str) -> Iterator[int]:
    """Hold a lock file, which children of this process hold, too, until all of them have ended.

    On Windows, and on file systems without locks, nothing is held.

    Args:
        path: The file. It stays.
        patience: Seconds to wait for another process.
        message: Of the error.

    Yields:
        Descriptor of the open file.

    Raises:
        RuntimeError: If another process holds the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)  # another user's file cannot be written
    try:
        end = time.monotonic() + patience
        while not _try_lock(descriptor):
            if time.monotonic() > end:
                raise RuntimeError(message)
            time.sleep(_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def release(descriptor: int) -> None:
    """Let go of a lock file, for this process and its children."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _try_lock(descriptor: int) -> bool:
    """Return False if another process holds the file."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True

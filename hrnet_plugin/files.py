"""Atomic writes of files, and lock files."""

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
_STALE_SECONDS = 3600.  # longer than writing any file takes


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a scratch file that replaces ``path`` when the block ends, and is removed if the block fails.

    If the process is killed, ``path`` has either its old or its complete new content.

    Args:
        path: File to write. A missing folder is created.

    Raises:
        OSError: If the folder is not writable.
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


def remove_stale_scratch_files(folder: str | Path) -> None:
    """Remove scratch files of killed processes if they are more than an hour old."""
    for path in Path(folder).glob(f'.*{_PART}'):
        with suppress(OSError):  # another process may remove them at the same time
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()


def _flush(path: Path) -> None:
    """Flush a file to disk. Otherwise a power failure after the renaming could lose its content."""
    with path.open('rb+') as file, suppress(OSError):
        os.fsync(file.fileno())


@contextmanager
def file_lock(path: Path, timeout: float, message: str) -> Iterator[int]:
    """Lock a file for this process and its children, until all of them have exited.

    No effect on Windows and on file systems without locks.

    Args:
        path: Lock file. It is not removed.
        timeout: Seconds to wait for another process.
        message: Error message.

    Yields:
        Descriptor of the open file.

    Raises:
        RuntimeError: If another process has the lock after ``timeout``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)  # read-only: the file may belong to another user
    try:
        end = time.monotonic() + timeout
        while not _try_lock(descriptor):
            if time.monotonic() > end:
                raise RuntimeError(message)
            time.sleep(_POLL_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def release_lock(descriptor: int) -> None:
    """Unlock a file for this process and its children."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _try_lock(descriptor: int) -> bool:
    """Return False if another process has the lock."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # file system without locks
        return True
    return True

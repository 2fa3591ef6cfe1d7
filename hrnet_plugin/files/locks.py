"""Locks of files, which processes hold until they exit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_POLL_SECONDS = 0.2


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
        while try_lock(descriptor) is False:
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


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file. Return False if another process has the lock, and None without locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # file system without locks, or with locks for writers only
        return None
    return True


@contextmanager
def trying_lock(path: str | Path) -> Iterator[bool | None]:
    """Lock an existing file or folder during the block if it is free.

    Args:
        path: File or folder. Symbolic links are refused.

    Yields:
        True if it was free, False if another process has locked it, and None without locks.

    Raises:
        OSError: If it cannot be opened.
    """
    if fcntl is None:
        yield None
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # do not wait for the writer of a pipe
    try:
        yield try_lock(descriptor)
    finally:
        os.close(descriptor)

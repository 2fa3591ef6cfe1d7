"""Files that are whole or not there, and folders that one process has for itself."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_POLL_SECONDS = 0.2
_PART = '.part'


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
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.', suffix=_PART)
    os.close(handle)
    scratch = Path(name)
    try:
        yield scratch
        scratch.chmod(0o666 & ~_umask())
        _flush(scratch)  # else a machine that loses power may have the new name and not the content
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def remove_parts(folder: str | Path, pattern: str) -> None:
    """Remove the scratch files of killed processes; nobody may write to the folder now.

    Args:
        folder: Folder of the files.
        pattern: Names of the files that were to be written, such as ``*.pth``.
    """
    for path in Path(folder).glob(f'.{pattern}.*{_PART}'):
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open('rb+') as file:
        os.fsync(file.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def locked(path: Path, patience: float, message: str) -> Iterator[int]:
    """Hold a lock file, which children of this process hold, too.

    On Windows, and on file systems without locks, nothing is held.

    Args:
        path: The file. It stays.
        patience: Seconds to wait for another process: those of a killed parent end soon after it.
        message: Of the error.

    Yields:
        Descriptor of the open file.

    Raises:
        RuntimeError: If another process holds the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'w') as file:
        end = time.monotonic() + patience
        while not _try_lock(file.fileno()):
            if time.monotonic() > end:
                raise RuntimeError(message)
            time.sleep(_POLL_SECONDS)
        yield file.fileno()


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

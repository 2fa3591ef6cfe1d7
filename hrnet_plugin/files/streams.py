"""Outputs that cannot be renamed: pipes, devices, and the standard streams of this process."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from contextlib import suppress
from pathlib import Path


def is_stream(status: os.stat_result) -> bool:
    """Return True for pipes, devices, and files to which stdout or stderr are redirected.

    Args:
        status: Status of an output that is no folder.
    """
    return not stat.S_ISREG(status.st_mode) or _standard_stream(status) is not None


def copy_to_stream(content: Path, path: Path) -> None:
    """Append the content of a file to a stream, after earlier output of this process."""
    own = _standard_stream(path.stat())
    if own is not None:
        (sys.stdout if own == 1 else sys.stderr).flush()
    with content.open('rb') as file, open(path if own is None else os.dup(own), 'wb') as stream:
        shutil.copyfileobj(file, stream)


def _standard_stream(status: os.stat_result) -> int | None:
    """Return the descriptor of stdout or stderr if it is open for a file, else None."""
    for descriptor in (1, 2):
        with suppress(OSError):  # closed
            if os.path.samestat(os.fstat(descriptor), status):
                return descriptor
    return None

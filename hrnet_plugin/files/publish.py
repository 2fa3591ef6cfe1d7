"""Publishing of finished content: permissions, flushes, and ways to replace files and to fill folders."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

# folders without write permission, sticky folders with the file of another user, files that are mount points
FOLDER_ERRORS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY}


def folder_advice(error: OSError) -> str:
    """Return a sentence that names the folder which is not writable, or an empty text."""
    if error.errno not in FOLDER_ERRORS or error.filename is None:
        return ''
    return f'. {Path(os.fsdecode(error.filename)).parent} must be writable'


def overwrite(content: Path, target: Path) -> None:
    """Replace the content of an existing file in place, which is not atomic.

    Args:
        content: File with the new content. Its mode is changed.
        target: Existing file. It keeps its owner and mode.

    Raises:
        OSError: If the target cannot be written. Its content may be incomplete.
    """
    with suppress(OSError):  # the target's mode may forbid reading
        content.chmod(0o600)
    # no O_CREAT: Linux refuses it for files of others in sticky folders
    with content.open('rb') as file, open(os.open(target, os.O_WRONLY | os.O_TRUNC), 'wb') as output:
        shutil.copyfileobj(file, output)
        output.flush()
        flush(output.fileno())


def move_children(source: Path, target: Path, last: str | None) -> None:
    """Rename all children of a folder into another one. If one fails, move the others back.

    Args:
        source: Folder that becomes empty.
        target: Empty folder on the same file system.
        last: Name of the child that is renamed last.
    """
    moved: list[str] = []
    try:
        for name in sorted(os.listdir(source), key=lambda name: (name == last, name)):
            (source / name).rename(target / name)
            moved.append(name)
    except BaseException:
        for name in reversed(moved):
            with suppress(OSError):
                (target / name).rename(source / name)
        raise


def copy_permissions(replaced: os.stat_result | None, scratch: Path) -> None:
    """Set owner, group and mode of a replaced file, as far as this user may."""
    if replaced is None:
        return
    if hasattr(os, 'chown'):
        for owner, group in ((-1, replaced.st_gid), (replaced.st_uid, -1)):  # the owner last, who sets the group
            with suppress(OSError):
                os.chown(scratch, owner, group)
    found = scratch.stat()
    mode = stat.S_IMODE(replaced.st_mode) & 0o777
    if found.st_gid != replaced.st_gid:
        mode &= ~0o070 | (mode & 0o007) << 3  # another group gets no more than all others
    if mode != stat.S_IMODE(found.st_mode):  # some file systems have one mode, which cannot be set
        scratch.chmod(mode)


def flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):  # file systems without fsync
            raise


def flush_folder(folder: Path) -> None:
    """Flush a renaming to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""File or folder that is being written, with its scratch file beside it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hrnet_plugin.files.scratch import create_scratch, remove_abandoned
from hrnet_plugin.files.streams import copy_to_stream, is_stream


class Output:
    """File or folder to write, and its scratch file or folder.

    Args:
        path: Path as the user gave it.
        is_folder: Whether it is a folder.

    Raises:
        OSError: If it cannot be written.
    """

    def __init__(self, path: Path, *, is_folder: bool = False) -> None:
        self.path = path
        self._before = _status(path, is_folder)
        self._is_stream = self._before is not None and not is_folder and is_stream(self._before)
        self._is_folder = is_folder
        self._target = Path(os.path.realpath(path))
        self._made: list[Path] = []
        folder = Path(tempfile.gettempdir()) if self._is_stream else self._target.parent
        try:
            self._make_folders(folder)
            remove_abandoned(folder)
            self.scratch, self._lock = create_scratch(folder, self._target.name, is_folder)
        except OSError as error:
            self._remove_folders()
            raise OSError(error.errno, error.strerror, str(path)) from error

    @property
    def is_new(self) -> bool:
        """True if the target did not exist."""
        return self._before is None

    def owns(self, path: object) -> bool:
        """Return True if a path is the scratch file or in the scratch folder."""
        return isinstance(path, (str, bytes, os.PathLike)) and Path(os.fsdecode(path)).is_relative_to(self.scratch)

    def finish(self) -> None:
        """Set permissions, and flush the content. Otherwise a power failure after the renaming could lose it."""
        if self._is_folder:
            _copy_permissions(self._before, self.scratch)
            return
        with self.scratch.open('rb+') as file:  # before the permissions, which may forbid it
            if not self._is_stream:
                _copy_permissions(self._before, self.scratch)
            _flush(file.fileno())

    def publish(self) -> None:
        """Rename the scratch file to its target, or copy it to a device."""
        if self._is_stream:
            copy_to_stream(self.scratch, self.path)
            return
        if self._is_folder and os.name == 'nt' and self._target.exists():
            self._target.rmdir()  # elsewhere, a renamed folder replaces an empty one
        self.scratch.replace(self._target)
        _flush_folder(self._target.parent)

    def close(self) -> None:
        """Unlock and remove the scratch file and, after a failure, the folders that were created for it."""
        if self._is_folder:
            shutil.rmtree(self.scratch, ignore_errors=True)
        else:
            with suppress(OSError):
                self.scratch.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
        self._remove_folders()

    def _make_folders(self, folder: Path) -> None:
        for each in [folder, *folder.parents]:
            if each.exists():
                break
            self._made.append(each)
        for each in reversed(self._made):
            each.mkdir(exist_ok=True)

    def _remove_folders(self) -> None:
        for folder in self._made:
            with suppress(OSError):  # not empty
                folder.rmdir()


def _status(path: Path, is_folder: bool) -> os.stat_result | None:
    """Return the status of the target, or None if it is missing.

    Raises:
        OSError: If it is a folder instead of a file or the reverse, read-only, or in a loop of symbolic links.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode) != is_folder:
        number = errno.ENOTDIR if is_folder else errno.EISDIR
        raise OSError(number, os.strerror(number), str(path))
    if not os.access(path, os.W_OK):  # renaming would ignore it
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return found


def _copy_permissions(replaced: os.stat_result | None, scratch: Path) -> None:
    """Set owner, group and mode of a replaced file or folder, as far as this user may."""
    if replaced is None:
        return
    if hasattr(os, 'chown'):
        for owner, group in ((-1, replaced.st_gid), (replaced.st_uid, -1)):  # the owner last, who sets the group
            with suppress(OSError):
                os.chown(scratch, owner, group)
    found = scratch.stat()
    mode = stat.S_IMODE(replaced.st_mode) & (0o7777 if stat.S_ISDIR(replaced.st_mode) else 0o777)
    if found.st_gid != replaced.st_gid:
        mode &= ~0o2070 | (mode & 0o007) << 3  # another group gets no more than all others
    if mode != stat.S_IMODE(found.st_mode):  # some file systems have one mode, which cannot be set
        scratch.chmod(mode)


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):  # file systems without fsync
            raise


def _flush_folder(folder: Path) -> None:
    """Flush a renaming to disk, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

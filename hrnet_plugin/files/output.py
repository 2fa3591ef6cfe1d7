"""File or folder that is being written, with its scratch file beside it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hrnet_plugin.files.publish import (
    FOLDER_ERRORS,
    copy_permissions,
    flush,
    flush_folder,
    folder_advice,
    move_children,
    overwrite,
)
from hrnet_plugin.files.scratch import create_scratch, is_empty_folder, remove_abandoned
from hrnet_plugin.files.streams import copy_to_stream, is_stream


class Output:
    """File or folder to write, and its scratch file or folder.

    The scratch file is beside its target, and the scratch folder of an empty folder is in it. The content of streams,
    and of files in folders that are not writable, goes to the folder of temporary files.

    Args:
        path: Path as the user gave it.
        is_folder: Whether it is a folder.
        last: Name of the child that is renamed last into an existing folder.

    Raises:
        OSError: If it cannot be written.
    """

    def __init__(self, path: Path, *, is_folder: bool = False, last: str | None = None) -> None:
        self.path = path
        self.is_untouched = True
        self._before = _status(path, is_folder)
        self.is_stream = self._before is not None and not is_folder and is_stream(self._before)
        self._is_overwritten = False
        self._is_folder = is_folder
        self._last = last
        self._target = Path(os.path.realpath(path))
        self._made: list[Path] = []
        try:
            self.scratch, self._lock = self._create_scratch()
        except OSError as error:
            self._remove_folders()
            raise OSError(error.errno, f'{error.strerror}{folder_advice(error)}', str(path)) from error

    @property
    def is_new(self) -> bool:
        """True if the target did not exist, or is an empty folder."""
        return self._before is None or self._is_folder

    def owns(self, path: object) -> bool:
        """Return True if a path is the scratch file or in the scratch folder."""
        return isinstance(path, (str, bytes, os.PathLike)) and Path(os.fsdecode(path)).is_relative_to(self.scratch)

    def finish(self) -> None:
        """Set permissions, and flush the content. Otherwise a power failure after the renaming could lose it."""
        if self._is_folder:
            return
        with self.scratch.open('rb+') as file:  # before the permissions, which may forbid it
            if not (self.is_stream or self._is_overwritten):
                copy_permissions(self._before, self.scratch)
            flush(file.fileno())

    def publish(self) -> None:
        """Rename the scratch file to its target, or copy it to a stream or to a file that cannot be replaced."""
        if self.is_stream:
            self.is_untouched = False
            copy_to_stream(self.scratch, self.path)
        elif self._is_overwritten:
            self._overwrite()
        elif self._is_folder and self._before is not None:
            self._fill_folder()
        else:
            self._replace()
        self.is_untouched = False

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

    def _create_scratch(self) -> tuple[Path, int | None]:
        """Create the scratch file or folder, and lock it."""
        if not self.is_stream:
            folder = self._target if self._is_folder and self._before is not None else self._target.parent
            self._make_folders(folder)
            remove_abandoned(folder)
            try:
                return create_scratch(folder, self._target.name, self._is_folder)
            except OSError as error:
                if not self._can_overwrite(error):
                    raise
            self._is_overwritten = True
        temporary = Path(tempfile.gettempdir())
        remove_abandoned(temporary)
        scratch, lock = create_scratch(temporary, self._target.name, is_folder=False)
        with suppress(OSError):  # file systems without modes
            scratch.chmod(0o600)  # other users may read the folder
        return scratch, lock

    def _can_overwrite(self, error: OSError) -> bool:
        """Return True for an existing file, which is writable, if the error is of its folder."""
        return self._before is not None and not self._is_folder and error.errno in FOLDER_ERRORS

    def _overwrite(self) -> None:
        self.is_untouched = False
        overwrite(self.scratch, self._target)

    def _replace(self) -> None:
        try:
            self.scratch.replace(self._target)
        except OSError as error:
            if os.name != 'posix' or not self._can_overwrite(error):  # on Windows, another process may have it open
                raise
            self._overwrite()
        flush_folder(self._target.parent)

    def _fill_folder(self) -> None:
        # a new folder would take the place of a mount point or working directory
        if not is_empty_folder(self._target):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(self.path))
        move_children(self.scratch, self._target, self._last)
        flush_folder(self._target)

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

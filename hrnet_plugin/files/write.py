"""Writers of one file, of several files that belong together, and of a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hrnet_plugin.files.output import Output

_DISK_ERRORS = {getattr(errno, name) for name in ('ENOSPC', 'EDQUOT', 'EFBIG', 'EIO') if hasattr(errno, name)}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a scratch file that replaces ``path`` when the block ends, and is removed if the block fails.

    If the process is killed, ``path`` has either its old or its complete new content. Of two processes that write the
    same file, the last one wins. A replaced file keeps its permissions. A symbolic link is kept, and the file that it
    leads to is replaced, as if it were opened for writing. Devices, pipes and ``/dev/stdout`` get the whole content
    when the block ends.

    Some writable files cannot be replaced: mount points, and files in folders that are not writable or sticky. They are
    overwritten in place when the block ends, which is not atomic.

    Args:
        path: File to write. A missing folder is created.

    Raises:
        OSError: If the file cannot be written. It names ``path`` and not the scratch file.
    """
    path = Path(path)
    with atomic_writes(path.parent) as scratch:
        yield scratch(path.name)


@contextmanager
def atomic_writes(folder: str | Path) -> Iterator[Callable[[str], Path]]:
    """Write files that belong together: all are renamed when the block ends, and none if it fails.

    If the process is killed during the renaming, some files are new and others old, but each one is whole.

    Args:
        folder: Folder of the files. It is created if it is missing.

    Yields:
        Function that returns the scratch file for a file name.

    Raises:
        OSError: If a file cannot be written. It names the file and not its scratch file.
    """
    outputs: list[Output] = []

    def scratch(name: str) -> Path:
        outputs.append(Output(Path(folder) / name))
        return outputs[-1].scratch

    with _published(outputs):
        yield scratch


@contextmanager
def atomic_folder(path: str | Path, last: str | None = None) -> Iterator[Path]:
    """Yield a scratch folder that becomes ``path`` when the block ends, and is removed if the block fails.

    An existing folder remains, since it may be a mount point or working directory. The scratch folder is in it, and its
    children are renamed one by one. Files are not flushed to disk one by one, because there may be thousands.

    Args:
        path: Folder to write. It must be missing or empty.
        last: Name of the child that is renamed last. If it exists, the folder is complete. Default: no particular one.

    Raises:
        OSError: If the folder cannot be written, or has files when the block ends.
    """
    output = Output(Path(path), is_folder=True, last=last)
    with _published([output]):
        yield output.scratch


@contextmanager
def naming_disk_errors(path: str | Path) -> Iterator[None]:
    """Name a file or folder in errors of a full or broken disk, which have no file name.

    Args:
        path: File or folder that the block writes.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _DISK_ERRORS:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def _published(outputs: Sequence[Output]) -> Iterator[None]:
    """Publish the outputs when the block ends, which may add further ones, and remove scratch files."""
    current: Output | None = None
    try:
        yield
        for step in (Output.finish, Output.publish):
            for current in outputs:
                step(current)
    except OSError as error:
        named = _named(error, outputs, current)
        if named is None:
            raise
        raise named from error
    finally:
        for output in reversed(outputs):
            output.close()


def _named(error: OSError, outputs: Sequence[Output], current: Output | None) -> OSError | None:
    """Return the error with the name of the target and what a full disk has left. None if it is of another file."""
    found = [output for output in outputs if output.owns(error.filename)]
    if error.filename is None and error.errno in _DISK_ERRORS:
        found = list(outputs) if current is None else [current]
    if not found or error.errno is None:
        return None
    text = os.strerror(error.errno)
    if error.errno in _DISK_ERRORS:
        text += _left(outputs)
    # several: the block may have written any of them
    return OSError(error.errno, text, str(found[0].path if len(found) == 1 else found[0].path.parent))


def _left(outputs: Sequence[Output]) -> str:
    """Return a sentence for errors before anything was published, or an empty text."""
    if not all(output.is_untouched for output in outputs) or any(output.is_stream for output in outputs):
        return ''
    if all(output.is_new for output in outputs):
        return '. Nothing was written'
    return '. The earlier file is unchanged' if len(outputs) == 1 else '. The earlier files are unchanged'

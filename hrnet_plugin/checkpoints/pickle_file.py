"""Safe reading of checkpoints in the formats of ``torch.save``."""

from __future__ import annotations

import io
import mmap
import pickle
import struct
import tarfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import torch

from hrnet_plugin.checkpoints.archive import read_archive
from hrnet_plugin.checkpoints.pickle_check import PickleCheck, instruction_limit
from hrnet_plugin.checkpoints.pickle_rules import ADVICE, CheckpointRules
from hrnet_plugin.checkpoints.refusal import NotACheckpointError, RefusedError
from hrnet_plugin.checkpoints.restricted_pickle import restricted_pickle
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints, has_allow_list, has_conflicts
from hrnet_plugin.escaping import shorten

if TYPE_CHECKING:
    from torch.serialization import MAP_LOCATION

_ZIP = b'PK\x03\x04'
_OLD_PICKLES = 5  # magic number, version, properties of the machine, the objects, keys of storages
_MESSAGE_LENGTH = 200
#: Errors that torch and pickle raise for truncated or damaged files. An OSError is one of the disk or the network.
BROKEN = (EOFError, LookupError, RuntimeError, TypeError, AttributeError, AssertionError, ValueError,
           ArithmeticError, MemoryError, struct.error, pickle.UnpicklingError)


def load_pickle(path: Path, map_location: MAP_LOCATION, advice: str = ADVICE) -> Any:
    """Load the objects of a file that ``torch.save`` has written, in either of its formats. No code is executed.

    The instructions of the pickle are checked before torch reads it. It is then read as with ``weights_only=True`` in
    all versions of torch.

    Args:
        path: File to read.
        map_location: See ``torch.load``.
        advice: Sentence for the error if a class is not allowed.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, or not a checkpoint, or requires more time or memory than a file of its size may.
    """
    with path.open('rb') as file:
        is_zip = file.read(len(_ZIP)) == _ZIP
    try:
        (_check_archive if is_zip else _check_old_format)(path, advice)
        return _load(path, map_location)
    except RefusedError as error:
        raise ValueError(f'was refused: {error}') from None
    except NotACheckpointError:
        raise
    except BROKEN as error:
        raise NotACheckpointError(f'is not a complete checkpoint: {first_sentence(error)}') from None


def _check_archive(path: Path, advice: str) -> None:
    archive = read_archive(path)
    rules = CheckpointRules(path.stat().st_size, archive.records, advice)
    PickleCheck(rules, instruction_limit(len(archive.pickle))).run(io.BytesIO(archive.pickle))


def load_storage(content: bytes) -> Any:
    """Load a storage that ``torch.save`` has written in the format before torch 1.6, as pickles of tensors contain it.

    Args:
        content: Bytes of the file.

    Raises:
        ValueError and other errors of :data:`BROKEN`: See :func:`load_pickle`.
    """
    _check_pickles(io.BytesIO(content), len(content))
    return _load(io.BytesIO(content), 'cpu')


def _check_old_format(path: Path, advice: str) -> None:
    if tarfile.is_tarfile(path):
        raise NotACheckpointError('is a tar archive of torch before 0.1.10. Save it again with torch.save of a newer '
                                  'version')
    with path.open('rb') as file, mapped(file) as content:
        _check_pickles(content, path.stat().st_size, advice)


@contextmanager
def mapped(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Provide the content of a file as a stream. Reading beyond its end allocates no memory, unlike with the file."""
    try:
        content = cast(IO[bytes], mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError:  # some network file systems cannot map files
        content = io.BytesIO(file.read())
        file.seek(0)
    with content:
        yield content


def _check_pickles(stream: IO[bytes], size: int, advice: str = ADVICE) -> None:
    """Check a file in the format before torch 1.6: several pickles, and then the storages."""
    check = PickleCheck(CheckpointRules(size, advice=advice), instruction_limit(size))
    for _ in range(_OLD_PICKLES):
        check.run(stream)


def _load(file: Path | IO[bytes], map_location: MAP_LOCATION) -> Any:
    allow_mmengine_checkpoints()
    # without an allow-list of its own stand-ins, torch would refuse checkpoints of mmengine
    options: dict[str, Any] = dict(weights_only=True) if has_allow_list() and not has_conflicts() else dict(
        weights_only=False, pickle_module=restricted_pickle)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch warns of deprecated classes and formats
        return torch.load(file, map_location=map_location, **options)


def first_sentence(error: Exception) -> str:
    """Return type and first sentence of an error."""
    first = str(error).strip().split('\n')[0].split('. ')[0]
    return f'{type(error).__name__}: {shorten(first, _MESSAGE_LENGTH)}' if first else type(error).__name__

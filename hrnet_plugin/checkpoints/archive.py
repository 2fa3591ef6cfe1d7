"""Checks of zip archives that torch writes, before torch reads them."""

from __future__ import annotations

import errno
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.checkpoints.refusal import NotACheckpointError
from hrnet_plugin.escaping import shorten

_BLOCK = 1 << 20
_MAX_ENTRIES = 100_000  # torch writes one per tensor; an HRNet with optimizer states has 6,000
_FOLDER = 0x10  # attribute of DOS
_LOCAL_HEADER_BYTES = 30  # without name and extra field
_END = struct.Struct('<4s4H2LH')  # end of the central directory
_END_64 = struct.Struct('<4sQ2H2L4Q')
_LOCATOR_64 = struct.Struct('<4sLQL')
# errors that zipfile raises for damaged archives
_BROKEN = (zipfile.BadZipFile, NotImplementedError, EOFError, LookupError, RuntimeError, ValueError, OverflowError,
           struct.error)


@dataclass(frozen=True)
class Archive:
    """Content of a zip archive that torch has written.

    Attributes:
        pickle: Pickle of all objects.
        records: Name of a record in the archive, e.g. 'data/0', -> its number of bytes.
    """

    pickle: bytes
    records: Mapping[str, int]


def read_archive(path: Path) -> Archive:
    """Check an archive and return its pickle.

    torch does not compress, so a compressed entry is refused. The sizes of all entries then add up to at most that of
    the file, and none needs more memory. torch does not compare checksums (CRC-32) either. This function does, unless
    the writer has disabled them.

    Raises:
        OSError: If the file cannot be read.
        NotACheckpointError: If the archive is damaged or was not written by torch.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_directory(path, archive.start_dir)
            root = _check_names(entries)
            _check_places(entries, archive.start_dir)
            if any(entry.CRC for entry in entries):  # zeros after torch.serialization.set_crc32_options(False)
                _check_checksums(archive)
            records = {entry.filename.removeprefix(root): entry.file_size for entry in entries}
            if 'data.pkl' not in records:
                raise NotACheckpointError('is a zip archive without data.pkl, so torch has not written it. Unpack it')
            return Archive(_content(path, archive.getinfo(f'{root}data.pkl')), records)
    except NotACheckpointError:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise NotACheckpointError('is not a complete checkpoint: an offset in it is invalid') from None
    except _BROKEN as error:
        if isinstance(error.__context__, OSError) and error.__context__.errno != errno.EINVAL:
            raise error.__context__ from None  # zipfile hides errors of the disk
        raise NotACheckpointError(f'is not a complete checkpoint: {shorten(str(error), 200)}') from None


def _check_directory(path: Path, start: int) -> None:
    """Check that the central directory is where torch's reader looks for it, which has no tolerance as zipfile has."""
    size = path.stat().st_size
    with path.open('rb') as file:
        file.seek(size - _END.size)
        signature, *_, length, offset, comment = _END.unpack(file.read(_END.size))
        end = size - _END.size
        file.seek(max(end - _LOCATOR_64.size, 0))
        locator, _, end_64, _ = _LOCATOR_64.unpack(file.read(_LOCATOR_64.size))
        if locator == b'PK\x06\x07':
            file.seek(end_64)
            *_, length, offset = _END_64.unpack(file.read(_END_64.size))
            end = end_64
    if signature != b'PK\x05\x06' or comment or offset != start or offset + length != end:
        raise ValueError('its zip directory is not at the end of the file')


def _check_names(entries: list[zipfile.ZipInfo]) -> str:
    """Check that names are unique, and return the folder of all entries."""
    if not entries or len(entries) > _MAX_ENTRIES:
        raise ValueError(f'a checkpoint has 1 to {_MAX_ENTRIES} zip entries, got {len(entries)}')
    root = entries[0].filename.partition('/')[0] + '/'
    # torch's reader ignores case
    names = {entry.filename.lower() for entry in entries}
    if len(names) < len(entries):
        raise ValueError('several zip entries have the same name')
    if f'{root}constants.pkl'.lower() in names:
        raise NotACheckpointError('is a TorchScript archive, which contains code. Save the state dict alone')
    return root


def _check_places(entries: list[zipfile.ZipInfo], start: int) -> None:
    """Check that entries are files, not compressed, do not overlap and do not exceed the archive."""
    entries = sorted(entries, key=lambda entry: entry.header_offset)
    ends = [*(entry.header_offset for entry in entries[1:]), start]
    for entry, end in zip(entries, ends, strict=True):
        name = shorten(entry.filename)
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
            raise ValueError(f'torch does not compress, but {name} is compressed or encrypted ({entry.compress_size} '
                             f'to {entry.file_size} bytes)')
        if entry.external_attr & _FOLDER or entry.filename.endswith('/'):
            # torch's reader returns memory of the process for it, not the bytes of the file
            raise ValueError(f'{name} is marked as a folder')
        if entry.header_offset + _LOCAL_HEADER_BYTES + len(entry.filename) + entry.file_size > end:
            raise ValueError(f'{name} overlaps with other zip entries or exceeds the file')


def _check_checksums(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        with archive.open(entry) as content:
            while content.read(_BLOCK):
                pass


def _content(path: Path, entry: zipfile.ZipInfo) -> bytes:
    """Return the bytes of an entry without comparing its checksum, which the writer may have disabled."""
    with path.open('rb') as file:
        file.seek(entry.header_offset)
        header = file.read(_LOCAL_HEADER_BYTES)
        name, extra = struct.unpack('<2H', header[-4:])
        file.seek(name + extra, 1)
        return file.read(entry.file_size)

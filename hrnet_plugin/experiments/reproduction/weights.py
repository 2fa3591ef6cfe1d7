"""Checkpoints of rows: in a folder, in the cache of downloads, at an address, or on a web page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint, url_of
from hrnet_plugin.checkpoints.downloads import cache_path, check, digits_in
from hrnet_plugin.experiments.reproduction.published_rows import is_file_address
from hrnet_plugin.experiments.reproduction.row import Row

State = Literal['present', 'to download', 'missing']


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Checkpoint of a row.

    Attributes:
        state: 'present', 'to download', or 'missing' if the user must provide it.
        path: Path of a present or missing file, or None.
        text: State for users, in one line.
    """

    state: State
    path: Path | None
    text: str


def find_weights(row: Row, folder: Path | None) -> Weights:
    """Look for the checkpoint of a row, without a download and without reading it.

    Args:
        row: Row to reproduce.
        folder: Folder of downloaded files. If given, nothing is downloaded.

    Raises:
        ValueError: The address of the checkpoint is malformed.
    """
    if '://' not in row.address and Path(row.address).is_absolute():
        return _local(Path(row.address), f'{row.address} is missing')
    if folder is not None:
        return _local(folder / row.file, f'{folder / row.file} is missing: download it from {row.address}')
    url = url_of(row.address) if is_file_address(row.address) else None
    if url is None:
        where = row.address if '://' in row.address else 'the shared folder of the source'
        return Weights(state='missing', path=None, text=f'download by hand from {where}, save as {row.file} in the '
                                                        'folder of --weights')
    cached = cache_path(url, row.sha256 or None)
    if cached.is_file():
        return Weights(state='present', path=cached, text=f'in {cached}')
    return Weights(state='to download', path=None, text=f'to download from {url}')


def fetch_weights(row: Row, weights: Weights) -> Path:
    """Return the path of the checkpoint after a download, if necessary, and a check of its digest.

    A file without a known digest is read instead, which detects damaged files.

    Args:
        row: Row to reproduce.
        weights: Result of :func:`find_weights`, not 'missing'.

    Raises:
        OSError: The file cannot be downloaded or read.
        ValueError: The file has another digest, or is not a checkpoint.
    """
    if weights.path is None:
        return resolve_checkpoint([row.address], row.sha256 or None)[0]
    check(weights.path, str(weights.path), row.sha256 or None, digits_in(weights.path.name))
    return weights.path


def _local(path: Path, missing: str) -> Weights:
    if path.is_file():
        return Weights(state='present', path=path, text=f'in {path}')
    return Weights(state='missing', path=path, text=missing)

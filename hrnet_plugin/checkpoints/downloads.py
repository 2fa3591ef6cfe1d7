"""Downloads into the cache of torch.hub, checked before they are stored and at each use."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import torch
from mmengine.logging import print_log

from hrnet_plugin.checkpoints.file import read
from hrnet_plugin.checkpoints.transfer import receive
from hrnet_plugin.files import atomic_write

_BLOCK = 1 << 20
_UNUSUAL = re.compile(r'[^A-Za-z0-9._+-]')  # characters that are not in all file systems and shells
_MAX_NAME_LENGTH = 150  # of 255 in most file systems; scratch files have longer names

# Convention of torch.hub and OpenMMLab: NAME-DIGITS.pth, NAME-DIGITS_DATE.pth or NAME_DIGITS-DATE.pth. Eight decimal
# digits without a letter may also be a date or a number of iterations, so they do not count.
_DIGITS, _DATE = r'((?=\d*[a-f])[0-9a-f]{8})', r'20\d{6}'
_NAME_WITH_DIGITS = re.compile(rf'-{_DIGITS}(?:_{_DATE})?\.|_{_DIGITS}-{_DATE}\.')


def fetch(url: str, sha256: str | None = None) -> Path:
    """Return the cached file of a URL. It is downloaded if it is missing or damaged.

    Args:
        url: ``http://`` or ``https://``.
        sha256: At least the first eight digits of the sha256 of the file. They override those in the file name.

    Raises:
        OSError: If the file cannot be downloaded or stored.
        ValueError: If the downloaded file has another sha256, or no sha256 is known and the file is not a checkpoint.
    """
    target = cache_path(url, sha256)
    digits = digits_in(_file_name(url))
    if not target.is_file():
        return _download(url, target, sha256, digits)
    try:
        check(target, str(target), sha256, digits)
        return target
    except ValueError as error:
        damage = error
    print_log(f'{damage}; fetching {url} again', logger='current', level=logging.WARNING)
    try:
        return _download(url, target, sha256, digits)
    except (OSError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else OSError
        raise kind(f'{error}; and the cached {damage}. Remove {target} or replace it by the right file') from None


def cache_path(url: str, sha256: str | None = None) -> Path:
    """Return where :func:`fetch` stores the file of a URL.

    Args:
        url: ``http://`` or ``https://``.
        sha256: First digits of the expected sha256, or None if unknown.
    """
    name = _file_name(url)
    digits = digits_in(name)
    folder = Path(torch.hub.get_dir(), 'checkpoints')
    # mmengine and torch.hub cache by file name alone. The cache is shared with them if the name contains the sha256
    if digits is not None and (sha256 is None or sha256.startswith(digits)):
        return folder / name
    # eight digits do not prevent that another host is given the same name on purpose
    return folder / _host_folder(url) / f'{_sha256(url.encode())[:8]}-{name}'


def digits_in(name: str) -> str | None:
    """Return the eight digits of a sha256 in a file name, or None."""
    found = _NAME_WITH_DIGITS.search(name)
    return None if found is None else found[1] or found[2]


def digest(path: Path) -> str:
    """Return a file's sha256 in hexadecimal digits."""
    state = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def check(path: Path, source: str, sha256: str | None, digits: str | None = None) -> None:
    """Check that a file is the expected one, by its sha256, or by reading it if no sha256 is known.

    Reading detects web pages, Git LFS pointers, and compressed or truncated files of any format. It takes as long as
    loading the checkpoint. Hashing 300 MB takes less than a second. Both are short, so results are not cached.

    Args:
        path: File to check.
        source: Name of the file in messages.
        sha256: First digits of the expected sha256, or None if unknown.
        digits: First digits from the file name, used if ``sha256`` is None.

    Raises:
        ValueError: If the file is damaged or another one.
    """
    expected = sha256 or digits
    if expected is None:
        read(path, source)
        return
    got = digest(path)
    if not got.startswith(expected):
        origin = '' if sha256 else ', as in its name'
        raise ValueError(f'{source} must have the sha256 {expected}{origin}, got {got[:len(expected)]}: '
                         f'{_diagnose(path, None if sha256 else got)}')


def _diagnose(path: Path, got: str | None) -> str:
    try:
        read(path, 'it')
    except ValueError as error:
        return str(error)
    cause = 'it is another file, or was damaged in transit'
    if got is None:
        return cause
    return f"{cause}. If its name contains no sha256, set sha256='{got[:16]}' or give the path of a file"


def _download(url: str, target: Path, sha256: str | None, digits: str | None) -> Path:
    """Download a file into the cache. It appears there when it is complete and checked."""
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise OSError(f'{url} cannot be stored in {folder}: {error.strerror}. Set TORCH_HOME to another '
                      'folder') from None
    print_log(f'fetching {url}', logger='current')
    with atomic_write(target) as scratch:
        receive(url, scratch)
        check(scratch, url, sha256, digits)
    return target


def _file_name(url: str) -> str:
    """Return the last part of the path of a URL as a portable file name."""
    name = unquote(urlsplit(url).path).replace('\\', '/').rpartition('/')[2]
    return _UNUSUAL.sub('_', name).lstrip('.')[-_MAX_NAME_LENGTH:] or 'checkpoint'


def _host_folder(url: str) -> str:
    return _UNUSUAL.sub('_', urlsplit(url).netloc.rpartition('@')[2].lower()).lstrip('.') or 'host'


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

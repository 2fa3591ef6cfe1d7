"""Downloads into the cache of torch.hub, checked before they are stored and at each use."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
import shutil
import zlib
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import BinaryIO, cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import torch
from mmengine.logging import print_log

from hrnet_plugin.checkpoints.file import read
from hrnet_plugin.version import __version__

_BLOCK = 1 << 20
_TIMEOUT = 30  # seconds without a byte

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
    # mmengine and torch.hub cache by file name alone. The cache is shared with them if the name contains the sha256
    shared = digits is not None and (sha256 is None or sha256.startswith(digits))
    return Path(torch.hub.get_dir(), 'checkpoints', name if shared else f'{_sha256(url.encode())[:8]}-{name}')


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
    scratch = target.with_name(f'.{target.name}.{uuid4().hex[:8]}')  # several processes may download at once
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = scratch.open('xb')
    except OSError as error:
        raise OSError(f'{url} cannot be stored in {target.parent}: {error.strerror}. Set TORCH_HOME to another '
                      'folder') from None
    try:
        with file:
            _receive(url, file)
        check(scratch, url, sha256, digits)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return target


def _receive(url: str, file: BinaryIO) -> None:
    """Write the decoded response body to an open file."""
    print_log(f'fetching {url}', logger='current')
    request = Request(url, headers={'User-Agent': f'hrnet_plugin/{__version__}', 'Accept-Encoding': 'identity'})
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:
            body, length = _decoded(response, url)
            shutil.copyfileobj(body, file, _BLOCK)
    except HTTPError as error:
        raise OSError(f'{url} cannot be fetched: the server answered {error.code} ({error.reason})') from None
    except (IncompleteRead, EOFError, gzip.BadGzipFile, zlib.error):
        raise OSError(f'{url} was cut off before its end; nothing was stored') from None
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise OSError(f'{url} cannot be fetched: {getattr(error, "reason", None) or error}. Without a network, give '
                      'the path of a file') from None
    if length is not None and file.tell() != length:
        raise OSError(f'{url} was cut off after {file.tell()} of {length} bytes; nothing was stored')


def _decoded(response: HTTPResponse, url: str) -> tuple[BinaryIO, int | None]:
    """Return the decoded response body, and its length if the headers contain it."""
    encoding = (response.headers.get('Content-Encoding') or 'identity').strip().lower()
    if encoding == 'identity':
        return response, response.length
    if encoding in ('gzip', 'x-gzip'):  # sent by some servers without a request; gzip itself detects truncation
        return cast(BinaryIO, gzip.GzipFile(fileobj=response)), None
    raise OSError(f'{url} must be sent with Content-Encoding identity or gzip, got {encoding!r}. Give another address '
                  'or the path of a file')


def _file_name(url: str) -> str:
    return Path(unquote(urlsplit(url).path)).name or 'checkpoint'


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

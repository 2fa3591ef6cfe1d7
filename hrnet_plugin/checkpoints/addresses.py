"""From an address to a file on this machine: downloaded once, whole or not at all."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import Request, urlopen

import torch
from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from mmengine.runner.checkpoint import get_external_models

from hrnet_plugin.version import __version__

_SCHEMES = 'a path, https://, http://, file://, open-mmlab://NAME, timm://MODEL.TAG or hf://OWNER/REPOSITORY/FILE'
_BLOCK = 1 << 20
_TIMEOUT = 30  # seconds without a byte


def obtain(addresses: Sequence[str], sha256: str | None = None) -> tuple[Path, str]:
    """The file behind the first of some addresses that gives one.

    Args:
        addresses: Of the same weights, the preferred one first: paths, ``https://``, ``open-mmlab://msra/hrnetv2_w32``,
            ``timm://hrnet_w48.ms_in1k``, ``hf://owner/repository/file`` (``repository@revision`` for one that is not
            main).
        sha256: What the file's digest is, or begins with (eight digits or more).

    Returns:
        Path of the file, and the address that gave it.

    Raises:
        OSError: If none can be read or fetched; with several addresses, the message has one line for each.
        ValueError: If an address is malformed, or no file has the digest.
    """
    failures: list[Exception] = []
    with _first_process_first() if any('://' in address for address in addresses) else nullcontext():
        for address in addresses:
            try:
                return _file(address, sha256), address
            except (OSError, ValueError) as error:
                failures.append(error)
                if len(addresses) > 1:
                    print_log(f'{error}; trying the next address', logger='current', level=logging.WARNING)
    if len(failures) == 1:
        raise failures[0]
    raise OSError('none of the addresses gave the checkpoint:\n' + '\n'.join(f'  {failure}' for failure in failures))


def digest(path: Path) -> str:
    """A file's sha256, in hexadecimal digits."""
    state = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def url_of(address: str) -> str | None:
    """The URL behind an address; None if it is a path.

    Raises:
        ValueError: If it is neither.
    """
    scheme, found, rest = address.partition('://')
    if not found or scheme == 'file':
        return None
    if scheme in ('http', 'https'):
        return address
    if scheme in ('open-mmlab', 'openmmlab'):
        known = get_external_models()
        if rest not in known:
            ours = ', '.join(name for name in known if 'hrnet' in name)
            raise ValueError(f'{address} is no address that mmengine knows; it has of HRNets: {ours}')
        return known[rest]
    if scheme == 'timm':
        if '.' not in rest or '/' in rest:
            raise ValueError(f'{address} must be timm://MODEL.TAG, such as timm://hrnet_w48.ms_in1k')
        return _hub_url('timm', rest, 'main', 'model.safetensors')
    if scheme == 'hf':
        parts = re.fullmatch(r'([^/@]+)/([^/@]+)(?:@([^/]+))?/(.+)', rest)
        if parts is None:
            raise ValueError(f'{address} must be hf://OWNER/REPOSITORY/FILE')
        return _hub_url(parts[1], parts[2], parts[3] or 'main', parts[4])
    raise ValueError(f'the address of a checkpoint must be {_SCHEMES}; got {address}')


def _hub_url(owner: str, repository: str, revision: str, file: str) -> str:
    endpoint = os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')
    return f'{endpoint}/{owner}/{repository}/resolve/{quote(revision)}/{quote(file)}'


def _file(address: str, sha256: str | None) -> Path:
    url = url_of(address)
    if url is None:
        path = Path(unquote(urlsplit(address).path) if address.startswith('file://') else address).expanduser()
        path.stat()  # its errors name the path and the cause
        if sha256 is not None:
            _check_digest(address, digest(path), sha256)
        return path
    return _downloaded(url, sha256)


@contextmanager
def _first_process_first() -> Iterator[None]:
    """Of several processes, the others wait for the first one and find what it has fetched.

    Around all addresses together: one may serve some processes and not others, and each has to wait as often.
    """
    if get_rank() != 0:
        barrier()
    try:
        yield
    finally:
        if get_rank() == 0:
            barrier()


def _downloaded(url: str, sha256: str | None) -> Path:
    folder = Path(torch.hub.get_dir(), 'checkpoints')  # where torch and mmengine keep theirs
    target = folder / _file_name(url)
    if target.is_file() and (sha256 is None or digest(target).startswith(sha256)):
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, scratch = tempfile.mkstemp(dir=folder, prefix=f'.{target.name}.')
    except OSError as error:
        raise OSError(f'{url} cannot be kept in {folder}: {error.strerror}; TORCH_HOME names another folder') from None
    try:
        with os.fdopen(handle, 'wb') as file:
            got = _download(url, file)
        if sha256 is not None:
            _check_digest(url, got, sha256)
        os.replace(scratch, target)  # what has the name is whole
    finally:
        Path(scratch).unlink(missing_ok=True)
    return target


def _file_name(url: str) -> str:
    """Names that hold eight digits of a digest are unique by custom, others get eight of the URL's."""
    name = Path(unquote(urlsplit(url).path)).name or 'checkpoint'
    if re.search(r'(?<![0-9a-z])(?=\d*[a-f])[0-9a-f]{8}(?![0-9a-z])', name):
        return name
    return f'{hashlib.sha256(url.encode()).hexdigest()[:8]}-{name}'


def _download(url: str, file: object) -> str:
    """Write what an address gives into an open file; return its digest."""
    print_log(f'fetching {url}', logger='current')
    state, size = hashlib.sha256(), 0
    try:
        with urlopen(Request(url, headers={'User-Agent': f'hrnet_plugin/{__version__}'}), timeout=_TIMEOUT) as answer:
            wanted = answer.headers.get('Content-Length')
            while block := answer.read(_BLOCK):
                file.write(block)  # type: ignore[attr-defined]
                state.update(block)
                size += len(block)
    except HTTPError as error:
        raise OSError(f'{url} cannot be fetched: the server answered {error.code} ({error.reason})') from None
    except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
        raise OSError(f'{url} cannot be fetched: {getattr(error, "reason", None) or error}. Without a network, give '
                      'the path of a file') from None
    if wanted is not None and size != int(wanted):
        raise OSError(f'{url} was cut off after {size} of {wanted} bytes; nothing was kept')
    return state.hexdigest()


def _check_digest(source: str, got: str, wanted: str) -> None:
    if not got.startswith(wanted):
        raise ValueError(f'{source} must have the sha256 {wanted}, got {got[:len(wanted)]}: it is not the file that '
                         'was meant, or was damaged on its way')

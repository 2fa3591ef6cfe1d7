"""Resolution of checkpoint addresses to local files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mmengine.dist import barrier, get_rank
from mmengine.logging import print_log
from mmengine.runner.checkpoint import get_external_models

from hrnet_plugin.checkpoints.downloads import cache_path, check, digest, digits_in, fetch
from hrnet_plugin.checkpoints.hub import HubFile, fetch_by_library, hub_file

__all__ = ['digest', 'resolve_checkpoint', 'url_of']

_SCHEMES = 'a path, https://, http://, file://, open-mmlab://NAME, timm://MODEL.TAG or hf://OWNER/REPOSITORY/FILE'


def resolve_checkpoint(addresses: Sequence[str], sha256: str | None = None) -> tuple[Path, str]:
    """Return the local file of the first address that can be resolved.

    Args:
        addresses: Addresses of the same checkpoint, tried in order. An address is a path, ``https://``,
            ``open-mmlab://msra/hrnetv2_w32``, ``timm://hrnet_w48.ms_in1k`` or ``hf://owner/repository/file``
            (``repository@revision`` for a revision other than main).
        sha256: At least the first eight digits of the sha256 of the file. They override those in the file name.

    Returns:
        Path of the file, and its address.

    Raises:
        OSError: If no address can be read or downloaded. With several addresses, the message has one line per address.
        ValueError: If the only address is malformed, or its file has another sha256 or is not a checkpoint.
    """
    failures: list[Exception] = []
    with _main_process_first() if any('://' in address for address in addresses) else nullcontext():
        for address in addresses:
            try:
                return _resolve(address, sha256), address
            except (OSError, ValueError) as error:
                failures.append(error)
                if len(addresses) > 1:
                    print_log(f'{error}; trying the next address', logger='current', level=logging.WARNING)
    if len(failures) == 1:
        raise failures[0]
    raise OSError('no address of the checkpoint can be resolved:\n' + '\n'.join(f'  {failure}' for failure in failures))


def url_of(address: str) -> str | None:
    """Return the URL of an address, or None for a path.

    Raises:
        ValueError: If the address is malformed.
    """
    scheme, found, rest = address.partition('://')
    if not found or scheme == 'file':
        return None
    if scheme in ('http', 'https'):
        return address
    if scheme in ('open-mmlab', 'openmmlab'):
        known = get_external_models()
        if rest not in known:
            hrnets = ', '.join(name for name in known if 'hrnet' in name)
            raise ValueError(f'{address} must be a model that mmengine lists. Its HRNets are: {hrnets}')
        return known[rest]
    file = hub_file(address)
    if file is not None:
        return file.url
    raise ValueError(f'the address of a checkpoint must be {_SCHEMES}; got {address}')


def _resolve(address: str, sha256: str | None) -> Path:
    url = url_of(address)
    if url is None:
        path = Path(unquote(urlsplit(address).path) if address.startswith('file://') else address).expanduser()
        path.stat()  # raises an error with path and cause
        if sha256 is not None:
            check(path, address, sha256)
        return path
    file = hub_file(address)
    return (_fetch_from_hub(file, address, sha256) if file is not None else None) or fetch(url, sha256)


def _fetch_from_hub(file: HubFile, address: str, sha256: str | None) -> Path | None:
    """Return the file by ``huggingface_hub``, or the one in the cache of torch.hub if that fails."""
    try:
        return fetch_by_library(file, address, sha256)
    except OSError:
        path = cache_path(file.url, sha256)
        if not path.is_file():
            raise
        check(path, str(path), sha256, digits_in(Path(file.name).name))
        return path


@contextmanager
def _main_process_first() -> Iterator[None]:
    """Let rank 0 download first. The other ranks use its cached file afterwards.

    The barrier covers all addresses together. If ranks resolved different addresses, separate barriers would deadlock.
    """
    if get_rank() != 0:
        barrier()
    try:
        yield
    finally:
        if get_rank() == 0:
            barrier()

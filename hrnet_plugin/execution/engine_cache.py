"""Cache of exported models on disk, with verified digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, fx, nn

from hrnet_plugin.files import atomic_write

FOLDER_VARIABLE = 'HRNET_PLUGIN_CACHE'
MAX_FILES = 8
_SUFFIX = '.onnx'
_CONSTANTS = (bool, int, float, str, tuple, list, type(None))
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Return the folder of exported models: ``engines`` in ``$HRNET_PLUGIN_CACHE`` or ``~/.cache/hrnet_plugin``."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder) / 'engines'
    return Path(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')) / 'hrnet_plugin' / 'engines'


def graph_key(graph: fx.Graph, attributes: Mapping[str, Any]) -> str:
    """Return a key that changes with operators, layers and weights of a graph, and with the code that exports it."""
    digest = hashlib.sha256(f'{_code_digest()} {torch.__version__} {graph.python_code("self").src}'.encode())
    for name, attribute in sorted(attributes.items()):
        parts = dict(attribute.named_modules()) if isinstance(attribute, nn.Module) else {}
        for path, part in parts.items():
            constants = {key: value for key, value in vars(part).items() if isinstance(value, _CONSTANTS)}
            digest.update(f'{name}.{path} {type(part).__module__}.{type(part).__qualname__} {constants}'.encode())
        tensors = attribute.state_dict() if isinstance(attribute, nn.Module) else {'': attribute}
        for key, value in tensors.items():
            digest.update(f'{name}.{key} {getattr(value, "shape", value)} {getattr(value, "dtype", "")}'.encode())
            if isinstance(value, Tensor):
                digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


@cache
def _code_digest() -> str:
    """Return a digest of the sources in this package, which define passes and export."""
    sources = sorted(Path(__file__).parent.glob('*.py'))
    return hashlib.sha256(b'\0'.join(path.read_bytes() for path in sources)).hexdigest()


def read_or_make(key: str, make: Callable[[], bytes]) -> bytes:
    """Return the model of a key from the cache. Make and store it if it is missing or damaged.

    A cache that cannot be read or written is logged in one line. The model is then made without it.

    Args:
        key: Key from :func:`graph_key`.
        make: Function that exports the model.
    """
    path = cache_folder() / f'{key}{_SUFFIX}'
    try:
        model = _read(path)
    except OSError as error:
        print_log(f'{path} cannot be read: {error}', logger='current')
        model = None
    return _make(path, make) if model is None else model


def _read(path: Path) -> bytes | None:
    """Return the model of a file, or None if the file is missing, damaged or of another user."""
    if not path.exists():
        return None
    if hasattr(os, 'getuid') and path.stat().st_uid != os.getuid():
        print_log(f'{path} belongs to another user and is not used', logger='current')
        return None
    content = path.read_bytes()
    digest, model = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    if hashlib.sha256(model).digest() != digest:
        print_log(f'{path} is damaged and is written again', logger='current')
        return None
    with suppress(OSError):  # a read-only folder
        path.touch()
    return model


def _make(path: Path, make: Callable[[], bytes]) -> bytes:
    model = make()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with atomic_write(path) as scratch:
            scratch.write_bytes(hashlib.sha256(model).digest() + model)
        _remove_oldest(path.parent)
    except OSError as error:
        print_log(f'the exported model is not cached in {path.parent}: {error}. '
                  f'Set {FOLDER_VARIABLE} to a folder with free space', logger='current')
    return model


def _remove_oldest(folder: Path) -> None:
    """Keep the models that were used last. Another process may remove files at the same time."""
    ages = {}
    for path in folder.glob(f'*{_SUFFIX}'):
        try:
            ages[path] = path.stat().st_mtime
        except FileNotFoundError:
            continue
    for path in sorted(ages, key=lambda path: -ages[path])[MAX_FILES:]:
        path.unlink(missing_ok=True)

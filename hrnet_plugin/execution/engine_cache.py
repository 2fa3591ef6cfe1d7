"""Cache of exported models on disk, with verified digests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, fx, nn

from hrnet_plugin.files import atomic_write, remove_stale_scratch_files
from hrnet_plugin.version import __version__

FOLDER_VARIABLE = 'HRNET_PLUGIN_CACHE'
MAX_FILES = 8
_SUFFIX = '.onnx'
_DIGEST_BYTES = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """Return the folder of exported models: ``engines`` in ``$HRNET_PLUGIN_CACHE`` or ``~/.cache/hrnet_plugin``."""
    default = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'hrnet_plugin'
    return Path(os.environ.get(FOLDER_VARIABLE) or default) / 'engines'


def graph_key(graph: fx.Graph, attributes: Mapping[str, Any]) -> str:
    """Return a key that changes with the operators of a graph, its weights, and the versions that export it."""
    digest = hashlib.sha256(f'{__version__} {torch.__version__} {graph.python_code("self").src}'.encode())
    for name, attribute in sorted(attributes.items()):
        tensors = attribute.state_dict() if isinstance(attribute, nn.Module) else {'': attribute}
        digest.update(f'{name} {attribute if isinstance(attribute, nn.Module) else ""}'.encode())
        for key, value in tensors.items():
            digest.update(f'{key} {getattr(value, "shape", value)}'.encode())
            if isinstance(value, Tensor):
                digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_or_make(key: str, make: Callable[[], bytes]) -> bytes:
    """Return the model of a key from the cache. Make and store it if it is missing or damaged.

    A cache that cannot be read or written is logged in one line. The model is then made without it.

    Args:
        key: Key from :func:`graph_key`.
        make: Function that exports the model.
    """
    path = cache_folder() / f'{key}{_SUFFIX}'
    try:
        if path.exists():
            content = path.read_bytes()
            digest, model = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
            if hashlib.sha256(model).digest() == digest:
                path.touch()
                return model
            print_log(f'{path} is damaged and is written again', logger='current')
    except OSError as error:
        print_log(f'{path} cannot be read: {error}', logger='current')
    model = make()
    try:
        with atomic_write(path) as scratch:
            scratch.write_bytes(hashlib.sha256(model).digest() + model)
        _remove_oldest(path.parent)
    except OSError as error:
        print_log(f'the exported model is not cached in {path.parent}: {error}. '
                  f'Set {FOLDER_VARIABLE} to a folder with free space', logger='current')
    return model


def _remove_oldest(folder: Path) -> None:
    """Keep the models that were used last. Another process may remove files at the same time."""
    remove_stale_scratch_files(folder)
    ages = {}
    for path in folder.glob(f'*{_SUFFIX}'):
        try:
            ages[path] = path.stat().st_mtime
        except FileNotFoundError:
            continue
    for path in sorted(ages, key=lambda path: -ages[path])[MAX_FILES:]:
        path.unlink(missing_ok=True)

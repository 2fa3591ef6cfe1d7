"""Safe reading and atomic writing of checkpoints in the formats of torch and safetensors."""

from __future__ import annotations

import io
import json
import stat
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from hrnet_plugin.checkpoints.class_names import ClassNames, find_class_names
from hrnet_plugin.checkpoints.pickle_file import first_sentence, load_pickle
from hrnet_plugin.checkpoints.safetensors_file import read_safetensors, to_safetensors
from hrnet_plugin.checkpoints.tensor_check import check_sizes, check_tensors
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.escaping import shorten
from hrnet_plugin.files import atomic_write
from hrnet_plugin.json_files import parse_object

if TYPE_CHECKING:
    from torch.serialization import MAP_LOCATION

# module -> name -> value, as ``_metadata`` of state dicts; see models/checkpoint_metadata.py
Metadata = dict[str, dict[str, ConfigValue]]

# keys under which training code stores the state dict
_WRAPPERS = ('state_dict', 'model', 'network', 'model_state_dict', 'model_state', 'net')
_MAX_WRAPPERS = 8  # nested; the limit also stops self-references
_OWN = 'hrnet_plugin'  # entry of the data of this package in pickles
_MAX_METADATA_LENGTH = 1000  # characters of a value
_RUN_ADVICE = 'If you trust its author, allow the class by torch.serialization.add_safe_globals before you resume'


@dataclass
class Checkpoint:
    """Content of a checkpoint.

    Attributes:
        source: Path or address, for messages.
        tensors: State dict.
        metadata: Name of a module -> its metadata, e.g. {'backbone': {'upsampling': 'nearest'}}.
        kept: Tensors that a conversion has changed or left out, with their original keys. See
            :func:`~hrnet_plugin.checkpoints.convert.to_plugin`.
        names: Class names. Conversions leave them out.
    """

    source: str
    tensors: OrderedDict[str, Tensor]
    metadata: Metadata = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)
    names: ClassNames = field(default_factory=ClassNames)


def read(path: str | Path, source: str | None = None) -> Checkpoint:
    """Read a checkpoint in the format of torch or safetensors, regardless of its suffix.

    No code in the file is executed, and no more memory and time are used than a file of its size may require.

    Args:
        path: File to read.
        source: Name of the file in messages. Default: ``path``.

    Raises:
        OSError: If the file is missing or cannot be read.
        ValueError: If the file is not a checkpoint. The message describes it in one line.
    """
    source = str(path) if source is None else source
    with _naming(path, source):
        if _is_safetensors(Path(path)):
            tensors, own, kept = read_safetensors(Path(path))
            return Checkpoint(source, tensors, _parse_metadata(own), kept)
        return _read_pickle(Path(path), source)


def read_run(path: str | Path, map_location: MAP_LOCATION = 'cpu') -> dict[str, Any]:
    """Read a checkpoint of mmengine's runner to resume a run. No code in the file is executed.

    Args:
        path: File to read.
        map_location: See ``torch.load``.

    Raises:
        OSError: If the file is missing or cannot be read.
        ValueError: If the file is not such a checkpoint. The message describes it in one line.
    """
    with _naming(path, str(path)):
        content = None if _is_safetensors(Path(path)) else load_pickle(Path(path), map_location, _RUN_ADVICE)
        if not isinstance(content, dict) or not {'state_dict', 'meta'} <= content.keys():
            raise ValueError('must be a checkpoint of a run, with state_dict and meta, to resume from it')
        if not isinstance(content['meta'], dict):
            raise ValueError(f'must have a mapping in meta, got {type(content["meta"]).__name__}')
        _check_progress(content['meta'])
        check_sizes(_tensors_in(content, ''), Path(path).stat().st_size)
        content['meta'].pop('config', None)  # written by old versions; mmengine would execute it as Python
        return content


def _check_progress(meta: Mapping[object, object]) -> None:
    for name in ('epoch', 'iter'):
        if not isinstance(meta.get(name), int):
            raise ValueError(f'must have an integer {name} in meta to resume from it, got '
                             f'{shorten(repr(meta.get(name)), 60)}. Use load_from for the weights alone')


def _tensors_in(value: object, key: str) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in nested mappings and sequences, with the key of the innermost mapping."""
    if isinstance(value, Tensor):
        yield key, value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _tensors_in(entry, str(name))
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _tensors_in(entry, key)


@contextmanager
def _naming(path: str | Path, source: str) -> Iterator[None]:
    """Prepend the name of the file to error messages."""
    mode = Path(path).stat().st_mode  # raises an error with path and cause
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f'{source} must be a file, got a folder')
    if not stat.S_ISREG(mode):  # opening a named pipe would wait forever
        raise OSError(f'{source} must be a file, got a device or pipe')
    try:
        yield
    except ValueError as error:
        raise ValueError(f'{source} {error}') from None
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, source) from None  # such as EIO, which names no file


def write(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a checkpoint atomically. The suffix ``.safetensors`` or ``.pth`` determines the format.

    Raises:
        ValueError: If the suffix is another one, or the format has no such tensors.
        FileExistsError: If the file exists. It is not overwritten.
        OSError: If the file cannot be written, e.g. because the disk is full.
    """
    path = Path(path)
    if path.suffix not in ('.safetensors', '.pth'):
        raise ValueError(f'the file to write must end in .safetensors or .pth, got {str(path)!r}')
    if path.exists():
        raise FileExistsError(f'{path} exists and is not overwritten')
    with atomic_write(path) as scratch:
        # as bytes: errors of a full disk in torch and safetensors do not name it
        scratch.write_bytes(_to_pickle(checkpoint) if path.suffix == '.pth' else to_safetensors(
            checkpoint.tensors, json.dumps(checkpoint.metadata), checkpoint.kept))


def _is_safetensors(path: Path) -> bool:
    """Return True for safetensors, False for pickles. Raise ValueError for common mistakes, e.g. web pages."""
    with path.open('rb') as file:
        start = file.read(64)
    if not start:
        raise ValueError('is empty')
    text = start.lstrip().lower()
    if text.startswith((b'<!doctype', b'<html', b'<?xml', b'<head')):
        raise ValueError('is a web page, not a checkpoint: the address leads to a page about the file or to a login')
    if text.startswith(b'version https://git-lfs'):
        raise ValueError('is a Git LFS pointer, not a checkpoint. Run git lfs pull to download it')
    if start[:2] == b'PK' or start[:1] == b'\x80':
        return False
    if len(start) >= 8 and (start[8:9] == b'{' or path.suffix == '.safetensors'):
        return True
    raise ValueError(f'is not a checkpoint: it begins with {start[:16]!r}')


def _parse_metadata(text: str) -> Metadata:
    try:
        return _metadata(parse_object(text, _OWN))
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f'must have a mapping of modules to metadata, got {shorten(text, 60)}') from None


def _metadata(modules: Mapping[str, Mapping[str, ConfigValue]]) -> Metadata:
    """Return the metadata that are numbers or short, printable text. Modules of other packages may store anything."""
    return {module: entries for module, given in modules.items() if _is_plain(module)
            and (entries := {name: value for name, value in given.items() if _is_plain(name) and _is_plain(value)})}


def _is_plain(value: ConfigValue) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_METADATA_LENGTH and value.isprintable()
    return value is None or isinstance(value, (bool, int, float))


def _read_pickle(path: Path, source: str) -> Checkpoint:
    content = load_pickle(path, 'cpu')
    try:
        return _checkpoint_of(content, source, path.stat().st_size)
    except (TypeError, AttributeError) as error:  # invalid entries of this package
        raise ValueError(f'is not a checkpoint: {first_sentence(error)}') from None


def _checkpoint_of(content: Any, source: str, size: int) -> Checkpoint:
    own = content.get(_OWN, {}) if isinstance(content, Mapping) else {}
    entries, metadata = _unwrap(content)
    if not isinstance(own, Mapping):
        own = {}
    return Checkpoint(source, check_tensors(entries, size), {**_metadata(metadata), **_metadata(own.get('notes', {}))},
                      check_tensors(dict(own.get('kept', {})), size), find_class_names(content))


def _unwrap(content: Any) -> tuple[Mapping[object, object], Mapping[str, Mapping[str, ConfigValue]]]:
    """Return the state dict inside a checkpoint of any training code, and its metadata. Neither is checked."""
    if not isinstance(content, Mapping):
        raise ValueError(f'must contain a mapping of names to tensors, got {type(content).__name__}')
    for _ in range(_MAX_WRAPPERS):
        wrapper = next((key for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    else:
        raise ValueError(f'must have its tensors in at most {_MAX_WRAPPERS} nested mappings, got more: '
                         f'{wrapper!r} in {wrapper!r}')
    if not any(isinstance(value, Tensor) for value in content.values()):
        entries = ', '.join(shorten(str(key)) for key in list(content)[:6]) or 'none'
        raise ValueError(f'has no tensors; its entries are: {entries}')
    metadata = getattr(content, '_metadata', None)
    if not isinstance(metadata, Mapping):  # other code may store anything, as in its entries
        return content, {}
    return content, {module: given for module, given in metadata.items() if isinstance(given, Mapping)}


def _to_pickle(checkpoint: Checkpoint) -> memoryview:
    state_dict = OrderedDict(checkpoint.tensors)
    # torch and mmengine pass it to the modules that load the tensors
    state_dict._metadata = OrderedDict(checkpoint.metadata)  # type: ignore[attr-defined]
    own = {'kept': checkpoint.kept, 'notes': checkpoint.metadata}
    content = io.BytesIO()
    torch.save({'state_dict': state_dict, 'meta': {}, _OWN: own}, content)
    return content.getbuffer()


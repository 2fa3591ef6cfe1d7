"""Checkpoint files: read without running anything that is in them, written whole or not at all."""

from __future__ import annotations

import json
import pickle
import re
import struct
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hrnet_plugin.checkpoints.refusal import RefusedError
from hrnet_plugin.checkpoints.restricted_pickle import restricted_pickle
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints, has_allow_list
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.files import replacing

if TYPE_CHECKING:
    from torch.serialization import MAP_LOCATION

# module -> note -> text: what torch calls metadata, of which the plugin's networks and heads read their own notes
Notes = dict[str, dict[str, ConfigValue]]

# entries under which training codes store a network's tensors
_WRAPPERS = ('state_dict', 'model', 'network', 'model_state_dict', 'model_state', 'net')
_MOST_WRAPPERS = 8  # around each other; an entry may also be the mapping that it is in
# where a file of this package stores what only it reads: an entry of pickles, a prefix and a header of safetensors
_OWN = 'hrnet_plugin'
_KEPT = f'{_OWN}.kept.'
_MOST_HEADER_BYTES = 100_000_000  # as safetensors has it
# what torch raises for files that are cut off or damaged
_BROKEN = (EOFError, LookupError, OSError, RuntimeError, TypeError, AttributeError, AssertionError, ValueError,
           struct.error)
# what torch's messages call the thing that it did not run; the rest of them is how to allow it
_REFUSED = re.compile(r"GLOBAL (\S+)|unrecognized function <([^>]+)>|add_safe_globals`,? but got <class '([^']+)'>")


@dataclass
class Checkpoint:
    """The tensors of a file.

    Attributes:
        source: Path or address, for messages.
        tensors: Under the names that they have in the file, without what wraps all of them.
        notes: Of each module, by its name.
        kept: Tensors that a conversion has changed or left out, under their first names; see
            :func:`~hrnet_plugin.checkpoints.convert.to_plugin`.
    """

    source: str
    tensors: OrderedDict[str, Tensor]
    notes: Notes = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)


def read(path: str | Path, source: str | None = None) -> Checkpoint:
    """Read a file of torch's or of safetensors', whatever its name ends in.

    Nothing that is in the file runs: pickles are read with ``weights_only=True`` on every version of torch.

    Args:
        path: The file.
        source: What messages call it, where that is not its path.

    Raises:
        OSError: If there is no such file, or it cannot be read.
        ValueError: If it is no checkpoint; one line that says what it is.
    """
    source = str(path) if source is None else source
    with _naming(path, source):
        if _is_safetensors(Path(path)):
            return _read_safetensors(Path(path), source)
        return _read_pickle(Path(path), source)


def read_run(path: str | Path, map_location: MAP_LOCATION = 'cpu') -> dict[str, Any]:
    """Read a checkpoint of mmengine's runner with all that a run is resumed from. Nothing that is in the file runs.

    Args:
        path: The file.
        map_location: As of ``torch.load``.

    Raises:
        OSError: If there is no such file, or it cannot be read.
        ValueError: If it is no such checkpoint; one line that says what it is.
    """
    with _naming(path, str(path)):
        content = None if _is_safetensors(Path(path)) else _load_pickle(Path(path), map_location)
        if not isinstance(content, dict) or not {'state_dict', 'meta'} <= content.keys():
            raise ValueError('must be a checkpoint of a run, which holds state_dict and meta, to resume from it')
        if not isinstance(content['meta'], dict):
            raise ValueError(f'must have a mapping in meta, got {type(content["meta"]).__name__}')
        content['meta'].pop('config', None)  # of old versions, which mmengine would run as Python
        return content


@contextmanager
def _naming(path: str | Path, source: str) -> Iterator[None]:
    """Have errors begin with the name of the file."""
    Path(path).stat()  # its errors name the path and the cause
    if Path(path).is_dir():
        raise IsADirectoryError(f'{source} must be a file, got a folder')
    try:
        yield
    except ValueError as error:
        raise ValueError(f'{source} {error}') from None


def write(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write a file: safetensors where its name ends in ``.safetensors``, torch's format for ``.pth``.

    Raises:
        ValueError: If the name ends in neither.
        FileExistsError: If there is such a file; it is left as it is.
    """
    path = Path(path)
    if path.suffix not in ('.safetensors', '.pth'):
        raise ValueError(f'the file to write must end in .safetensors or .pth, got {str(path)!r}')
    if path.exists():
        raise FileExistsError(f'{path} exists and is left as it is')
    with replacing(path) as scratch:
        (_write_safetensors if path.suffix == '.safetensors' else _write_pickle)(checkpoint, str(scratch))


def _is_safetensors(path: Path) -> bool:
    """Raises ValueError for what people have instead of weights."""
    with path.open('rb') as file:
        start = file.read(64)
    if not start:
        raise ValueError('is empty')
    text = start.lstrip().lower()
    if text.startswith((b'<!doctype', b'<html', b'<?xml', b'<head')):
        raise ValueError('is a web page, not weights: the address leads to a page about the file, or asks to log in')
    if text.startswith(b'version https://git-lfs'):
        raise ValueError('is a pointer of Git LFS, not the weights: git lfs pull fetches them')
    if start[:2] == b'PK' or start[:1] == b'\x80':
        return False
    if len(start) >= 8 and (start[8:9] == b'{' or path.suffix == '.safetensors'):
        return True
    raise ValueError(f'is no checkpoint: it begins with {start[:16]!r}')


def _read_safetensors(path: Path, source: str) -> Checkpoint:
    size = path.stat().st_size
    with path.open('rb') as file:
        header, = struct.unpack('<Q', file.read(8))
    if header > _MOST_HEADER_BYTES:
        raise ValueError(f'claims a header of {header} bytes, more than the {_MOST_HEADER_BYTES} that safetensors '
                         'allow')
    if 8 + header > size:
        raise ValueError(f'is cut off: its header has {header} bytes, the file {size}')
    try:
        with safe_open(path, framework='pt') as file:
            names = file.keys()  # in the order of the file (offset_keys) only with safetensors newer than 0.5
            tensors = OrderedDict((name, file.get_tensor(name)) for name in names)
            own = (file.metadata() or {}).get(_OWN, '{}')
    except (SafetensorError, KeyError) as error:
        raise ValueError(f'is no whole safetensors file: {_line(error)}') from None
    kept = {name.removeprefix(_KEPT): tensors.pop(name) for name in list(tensors) if name.startswith(_KEPT)}
    if not tensors:
        raise ValueError('holds no tensors')
    return Checkpoint(source, tensors, _parse_notes(own), kept)


def _parse_notes(text: str) -> Notes:
    try:
        notes = json.loads(text)
        return {str(module): dict(entries) for module, entries in notes.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(f'has notes that are no mapping of modules to notes: {text[:60]!r}') from None


def _read_pickle(path: Path, source: str) -> Checkpoint:
    content = _load_pickle(path, 'cpu')
    try:
        return _checkpoint_of(content, source)
    except (TypeError, AttributeError) as error:  # entries of this package's own that are something else
        raise ValueError(f'is no checkpoint: {_line(error)}') from None


def _load_pickle(path: Path, map_location: MAP_LOCATION) -> Any:
    allow_mmengine_checkpoints()
    # without an allow-list, torch would refuse what mmengine stores
    options: dict[str, Any] = dict(weights_only=True) if has_allow_list() else dict(
        weights_only=False, pickle_module=restricted_pickle)
    try:
        return torch.load(path, map_location=map_location, **options)
    except RefusedError as error:
        raise ValueError(f'was refused: {error}') from None
    except pickle.UnpicklingError as error:
        raise ValueError(_why_refused(error)) from None
    except _BROKEN as error:
        raise ValueError(f'is no whole checkpoint: {_line(error)}') from None


def _checkpoint_of(content: Any, source: str) -> Checkpoint:
    own = content.get(_OWN, {}) if isinstance(content, Mapping) else {}
    tensors, notes = _unwrap(content)
    if not isinstance(own, Mapping):
        return Checkpoint(source, tensors, notes)
    notes = {**notes, **{str(module): dict(entries) for module, entries in own.get('notes', {}).items()}}
    return Checkpoint(source, tensors, notes, dict(own.get('kept', {})))


def _why_refused(error: Exception) -> str:
    text = str(error)
    if found := _REFUSED.search(text):
        named = next(filter(None, found.groups()))
        return (f'was refused: to be read, it asks to run {named}, which is not for weights. If you trust who made '
                'it, have them save the state dict alone, without it')
    cause = re.search(r'WeightsUnpickler error:\s*(.*)', text)
    return f'is no checkpoint: {cause[1][:160] if cause else _line(error)}'


def _line(error: Exception) -> str:
    """The first sentence of an error, with its kind."""
    first = str(error).strip().split('\n')[0].split('. ')[0]
    return f'{type(error).__name__}: {first[:160]}' if first else type(error).__name__


def _unwrap(content: Any) -> tuple[OrderedDict[str, Tensor], Notes]:
    """The mapping of names to tensors inside what a training code has stored."""
    if not isinstance(content, Mapping):
        raise ValueError(f'must hold a mapping of names to tensors, got {type(content).__name__}')
    for _ in range(_MOST_WRAPPERS):
        wrapper = next((key for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    else:
        raise ValueError(f'must hold its tensors in at most {_MOST_WRAPPERS} mappings around each other, got more: '
                         f'{wrapper!r} in {wrapper!r}')
    if not any(isinstance(value, Tensor) for value in content.values()):
        entries = ', '.join(map(str, list(content)[:6])) or 'nothing'
        raise ValueError(f'holds no weights: it has {entries}')
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise ValueError(f'must map names to tensors only, got {key!r}: {type(value).__name__}')
    notes = {module: dict(entries) for module, entries in getattr(content, '_metadata', {}).items() if entries}
    return OrderedDict((key, value.detach()) for key, value in content.items()), notes


def _write_safetensors(checkpoint: Checkpoint, path: str) -> None:
    tensors = {**checkpoint.tensors, **{_KEPT + name: tensor for name, tensor in checkpoint.kept.items()}}
    # the format wants each tensor to have its own memory, in row-major order
    tensors = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
               for name, tensor in tensors.items()}
    save_file(tensors, path, {'format': 'pt', _OWN: json.dumps(checkpoint.notes)})


def _write_pickle(checkpoint: Checkpoint, path: str) -> None:
    state_dict = OrderedDict(checkpoint.tensors)
    # for torch and mmengine, which give them to the modules that load the tensors
    state_dict._metadata = OrderedDict(checkpoint.notes)  # type: ignore[attr-defined]
    own = {'kept': checkpoint.kept, 'notes': checkpoint.notes}
    torch.save({'state_dict': state_dict, 'meta': {}, _OWN: own}, path)


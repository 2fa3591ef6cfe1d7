"""Checkpoints in the format of safetensors."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from hrnet_plugin.checkpoints.pickle_file import first_sentence
from hrnet_plugin.checkpoints.tensor_check import check_tensors

_OWN = 'hrnet_plugin'  # header entry, and prefix of keys, of the data of this package
_KEPT = f'{_OWN}.kept.'
_MAX_HEADER_BYTES = 100_000_000  # limit of safetensors
# errors that safetensors raises for damaged files, and torch for a dtype that it lacks
_UNREADABLE = (SafetensorError, LookupError, AttributeError, TypeError, ValueError, RuntimeError)

State = OrderedDict[str, Tensor]


def read_safetensors(path: Path) -> tuple[State, str, dict[str, Tensor]]:
    """Return the tensors of a file, the JSON of this package in its header, and the tensors that a conversion kept.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, has no tensors, or has tensors of a kind that a checkpoint must not have.
    """
    size = path.stat().st_size
    _check_header(path, size)
    try:
        with safe_open(path, framework='pt') as file:
            names = file.keys()  # safetensors up to 0.5 lacks offset_keys, the keys in file order
            tensors = OrderedDict((name, file.get_tensor(name)) for name in names)
            own = (file.metadata() or {}).get(_OWN, '{}')
    except _UNREADABLE as error:
        raise ValueError(f'is not a complete safetensors file: {first_sentence(error)}') from None
    kept = {name.removeprefix(_KEPT): tensors.pop(name) for name in list(tensors) if name.startswith(_KEPT)}
    if not tensors:
        raise ValueError('has no tensors')
    return check_tensors(tensors, size), own, kept


def _check_header(path: Path, size: int) -> None:
    with path.open('rb') as file:
        header, = struct.unpack('<Q', file.read(8))
    if header > _MAX_HEADER_BYTES:
        raise ValueError(f'must have a header of at most {_MAX_HEADER_BYTES} bytes, as all safetensors, got {header}')
    if 8 + header > size:
        raise ValueError(f'is cut off: its header has {header} bytes, the file {size}')


def to_safetensors(tensors: Mapping[str, Tensor], own: str, kept: Mapping[str, Tensor]) -> bytes:
    """Return the content of a file.

    Args:
        tensors: State dict.
        own: JSON of this package for the header.
        kept: Tensors that a conversion has kept, with their original keys.
    """
    # safetensors requires contiguous tensors that do not share memory
    every = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
             for name, tensor in {**tensors, **{_KEPT + name: tensor for name, tensor in kept.items()}}.items()}
    return save(every, {'format': 'pt', _OWN: own})

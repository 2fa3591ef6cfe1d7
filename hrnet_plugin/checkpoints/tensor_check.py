"""Check of the tensors in a state dict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from hrnet_plugin.escaping import shorten

# Views of one storage: tied weights, and weights that a checkpoint also stores as a moving average
_MAX_BYTES_PER_STORED_BYTE = 4
_MAX_KEY_LENGTH = 1000
_ALWAYS_ALLOWED_BYTES = 1 << 24  # of small expanded buffers


def check_tensors(tensors: Mapping[object, object], file_size: int) -> OrderedDict[str, Tensor]:
    """Return a state dict whose tensors are dense, on the CPU and not much larger than their file.

    Args:
        tensors: Mapping of any keys to any values.
        file_size: Bytes of the file. Expanded views may have at most four times as many, and at least 16 MB.

    Raises:
        ValueError: If a key is not a short, printable string, or a value not such a tensor. The message names the key.
    """
    checked = OrderedDict((_check_key(key, value), _check_tensor(key, value)) for key, value in tensors.items())
    check_sizes(checked.items(), file_size)
    return checked


def check_sizes(tensors: Iterable[tuple[str, Tensor]], file_size: int) -> None:
    """Raise ValueError if pairs of a key and a tensor have more bytes than a file of this size may."""
    limit = max(_MAX_BYTES_PER_STORED_BYTE * file_size, _ALWAYS_ALLOWED_BYTES)
    total = 0
    for key, tensor in tensors:
        total += tensor.numel() * tensor.element_size()
        if total > limit:
            raise ValueError(f'must have tensors of at most {limit} bytes for a file of {file_size}, got '
                             f'{total} bytes up to {shorten(key)}, of shape {tuple(tensor.shape)}. Save clones of '
                             'expanded tensors')


def _check_key(key: object, value: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f'must map names to tensors only, got {shorten(str(key))}: {type(value).__name__}')
    if len(key) > _MAX_KEY_LENGTH or not key.isprintable():
        raise ValueError(f'must have keys of at most {_MAX_KEY_LENGTH} printable characters, got '
                         f'{shorten(repr(key))}')
    return key


def _check_tensor(key: object, value: object) -> Tensor:
    if not isinstance(value, Tensor):
        raise ValueError(f'must map names to tensors only, got {shorten(repr(key))}: {type(value).__name__}')
    problem = _problem(value)
    if problem:
        raise ValueError(f'must have dense tensors on the CPU only, got {shorten(repr(key))}: {problem}')
    return Tensor.detach(value)  # not value.detach, which a file can set as an attribute


def _problem(tensor: Tensor) -> str:
    """Return why the values of a tensor cannot be read, or an empty string."""
    if type(tensor) not in (Tensor, nn.Parameter):
        return f'a {type(tensor).__name__}'
    if tensor.is_nested:
        return 'a nested tensor'
    if tensor.layout is not torch.strided:
        return f'a tensor of layout {tensor.layout}'
    if tensor.is_quantized:
        return 'a quantized tensor'
    if tensor.device.type != 'cpu':
        return 'a meta tensor, which has no values' if tensor.is_meta else f'a tensor on {tensor.device}'
    return ''

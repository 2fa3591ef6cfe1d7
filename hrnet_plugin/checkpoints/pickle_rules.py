"""Rules for names, calls and storages in the pickle of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from hrnet_plugin.checkpoints.pickle_values import Made, Value
from hrnet_plugin.checkpoints.refusal import RefusedError
from hrnet_plugin.checkpoints.restricted_pickle import find_global, is_user_global, modern_name
from hrnet_plugin.escaping import shorten

_REBUILD = 'torch._utils._rebuild_'
# these look up the hash of each value of a sequence; state dicts of Python 2 are made of 50,000 values
_HASHING = ('builtins.set', 'builtins.frozenset', 'collections.Counter', 'collections.OrderedDict')
_MAX_HASHED = 100_000
# tensors that are not dense; some versions of torch validate them when they load them, which may take hours
_NOT_DENSE = (f'{_REBUILD}sparse_', f'{_REBUILD}nested_', f'{_REBUILD}qtensor', 'torch.sparse.', 'torch.cuda.sparse.',
              'torch.nested.')
ADVICE = 'If you trust its author, request a file with the state dict alone'
BYTES = '_codecs.encode'  # of text: bytes in a pickle that Python 2 can read, too
# classes whose pickles have a state
_WITH_STATE = ('collections.OrderedDict', 'numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct',
               'numpy.dtype', 'mmengine.logging.history_buffer.HistoryBuffer', 'torch.nn.parameter.Parameter')


class CheckpointRules:
    """Rules that accept checkpoints of torch and of mmengine's runner.

    Args:
        file_size: Bytes of the file, which the storages must not exceed.
        records: Name -> bytes of the records in a zip archive. Default: None for a file in the format before torch 1.6,
            in which storages follow the pickle.
        advice: Sentence for the error if a name is not allowed.
    """

    def __init__(self, file_size: int, records: Mapping[str, int] | None = None, advice: str = ADVICE) -> None:
        self._file_size, self._records, self._advice = file_size, records, advice
        self._storages: dict[str, int] = {}  # key -> bytes

    def check_global(self, module: str, name: str) -> str:
        """Check that a name is allowed, and return it as in Python 3."""
        full = modern_name(module, name)
        if find_global(full) is None:
            raise RefusedError(f'loading it would run {shorten(full)}, which a checkpoint must not do. '
                               f'{self._advice}')
        return full

    def check_call(self, name: str, arguments: tuple[Value, ...]) -> int:
        """Check that a call allocates no more memory than its arguments have, and return the unusual keys it hashes."""
        if name in _HASHING:
            return sum(_hashed(name, value) for value in arguments)
        if name.startswith(_NOT_DENSE):
            raise RefusedError(f'tensors must be dense, got a call of {name}')
        if name == 'torch._tensor._rebuild_from_type_v2':
            self._check_nested_call(arguments)
        elif name == BYTES:
            _require(len(arguments) == 2 and isinstance(arguments[0], str) and arguments[1] == 'latin1',
                     'bytes must be written as text in latin1')
        elif name == 'builtins.bytearray':
            _require(all(isinstance(value, Made) and value.name == BYTES for value in arguments),
                     'a bytearray must be made of bytes')
        elif _is_tensor_class(name):
            _require(not arguments, 'a tensor must have a storage')
        elif name.endswith('Storage') or name.startswith(f'{_REBUILD}device_tensor'):
            raise RefusedError(f'{name} must not be called, because it could allocate any amount of memory')
        return 0

    def _check_nested_call(self, arguments: tuple[Value, ...]) -> None:
        """Check the arguments of a function that calls another one."""
        function, _, inner = arguments[:3]
        if not isinstance(function, Made) or not function.name.startswith(_REBUILD) or not isinstance(inner, Made):
            raise RefusedError('a tensor with attributes must be made by a function of torch')
        self.check_call(function.name, inner.items)

    def check_state(self, name: str) -> None:
        """Check that objects made by a name have a state in checkpoints."""
        _require(name in _WITH_STATE or _is_tensor_class(name) or is_user_global(name), f'{name} must not have a state')

    def check_storage(self, identity: tuple[Value, ...]) -> None:
        """Check that the bytes of a storage are in the file."""
        word, kind, key, _, count, *views = identity
        _require(word == 'storage' and not any(isinstance(view, Made) and view.kind != 'tuple' for view in views),
                 'only storages may be outside of the pickle')
        if not isinstance(key, str) or type(count) is not int or count < 0:
            raise RefusedError('a storage must have a key and a size')
        self._storages[key] = count * _item_size(kind)
        if self._records is None:
            limit, got = self._file_size, sum(self._storages.values())
        else:
            limit, got = self._records.get(f'data/{key}', 0), self._storages[key]
        if got > limit:
            raise ValueError(f'it has {limit} bytes for {got} bytes of storages')


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise RefusedError(message)


def _hashed(name: str, value: Value) -> int:
    """Return the number of unusual keys that a call hashes. Those of mappings are counted when they are made."""
    if isinstance(value, Made) and value.kind == 'dict':
        return 0
    if not isinstance(value, Made) or value.kind not in ('list', 'tuple') or value.size > _MAX_HASHED:
        raise RefusedError(f'{name} must be made of at most {_MAX_HASHED} values')
    return value.unusual_pairs if name == 'collections.OrderedDict' else value.unusual


def _is_tensor_class(name: str) -> bool:
    return name.startswith('torch.') and name.endswith('Tensor') and not name.startswith('torch._')


def _item_size(kind: Value) -> int:
    """Return the bytes per item of a storage class."""
    known = find_global(kind.name) if isinstance(kind, Made) and kind.kind == 'global' else None
    if known is torch.UntypedStorage:
        return 1
    dtype = getattr(known, 'dtype', None)
    if not isinstance(dtype, torch.dtype):
        raise RefusedError('a storage must have a type of torch')
    return dtype.itemsize

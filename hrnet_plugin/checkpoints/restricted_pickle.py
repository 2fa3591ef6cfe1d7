"""Pickle module for ``torch.load`` with an allow-list, for versions of torch without one."""

from __future__ import annotations

import pickle
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter
from functools import lru_cache
from types import SimpleNamespace
from typing import IO, Any

import torch
from torch._weights_only_unpickler import _get_allowed_globals

from hrnet_plugin.checkpoints.safe_globals import allowed_names, user_globals
from hrnet_plugin.checkpoints.stand_ins import latin1_bytes, small_bytearray

# globals that only newer versions of torch allow
_NEWER = {
    '_codecs.encode': latin1_bytes,
    'builtins.bytearray': small_bytearray,
    'builtins.set': set,
    'builtins.complex': complex,
    'collections.Counter': Counter,
    'torch.device': torch.device,
    **{str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)},
}


@lru_cache(maxsize=1)
def _allowed_globals() -> dict[str, Any]:
    return {**allowed_names(), **_get_allowed_globals(), **_NEWER}


def find_global(name: str) -> Any:
    """Return the object or stand-in of a full name in a checkpoint, or None if it is not allowed."""
    return _allowed_globals()[name] if name in _allowed_globals() else _user_globals().get(name)


def is_user_global(name: str) -> bool:
    """Return True if only the user, by ``torch.serialization.add_safe_globals``, allows a name."""
    return name not in _allowed_globals() and name in _user_globals()


def _user_globals() -> dict[str, Any]:
    return {name: value for value, name in user_globals()}


def modern_name(module: str, name: str) -> str:
    """Return the full name of a global in Python 3. torch writes the names of Python 2."""
    module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
    return f'{module}.{name}'


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickler that loads only globals that torch, its user, or this package for mmengine allows."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the object or stand-in of a global.

        Raises:
            UnpicklingError: If the name is not allowed.
        """
        full = modern_name(module, name)
        if find_global(full) is None:
            raise pickle.UnpicklingError(f'Unsupported global: GLOBAL {full} was not an allowed global')
        return find_global(full)


def _load(file: IO[bytes], *, fix_imports: bool = True, encoding: str = 'ASCII', errors: str = 'strict') -> Any:
    return RestrictedUnpickler(file, fix_imports=fix_imports, encoding=encoding, errors=errors).load()


restricted_pickle = SimpleNamespace(__name__=__name__, Unpickler=RestrictedUnpickler, load=_load)

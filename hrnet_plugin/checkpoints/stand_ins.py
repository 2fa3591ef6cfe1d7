"""Stand-ins for globals in checkpoints of mmengine's runner, except numpy's classes.

torch calls allowed globals with arbitrary arguments and sets arbitrary attributes of the results. Therefore a stand-in
accepts only arguments that mmengine writes. It never returns a function, a class or a shared object.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from numpy.typing import NDArray

from hrnet_plugin.checkpoints.loaded_arrays import LoadedArray
from hrnet_plugin.checkpoints.refusal import RefusedError

_METHODS = ('min', 'max', 'current', 'mean')


class LoadedHistory(HistoryBuffer):
    """Stand-in for HistoryBuffer, which turns into a HistoryBuffer when its state is set.

    HistoryBuffer itself is unsafe: it calls methods whose names are in its state.
    """

    def __init__(self) -> None:
        """Create an empty history. Values are accepted by ``__setstate__`` only."""

    def __setstate__(self, state: Any) -> None:
        """Set values, counts and maximum length. The names of methods in the state are ignored."""
        if type(state) is not dict or type(state.get('max_length')) is not int:
            raise RefusedError(f'a HistoryBuffer must have a max_length, got {state!r:.60}')
        values, counts = (_numbers(state.get(key)) for key in ('_log_history', '_count_history'))
        if len(values) != len(counts):
            raise RefusedError(f'a HistoryBuffer must have a count for each value, got {len(counts)} for {len(values)}')
        super().__init__(values, counts, state['max_length'])
        self.__class__ = HistoryBuffer


def _numbers(value: Any) -> NDArray[Any]:
    if type(value) is not LoadedArray or value.ndim != 1 or value.dtype.kind not in 'biuf':
        raise RefusedError(f'a HistoryBuffer must have arrays of numbers, got {type(value).__name__}')
    return value.view(np.ndarray).copy()


def history_method(owner: Any, name: Any) -> str:
    """Return the name of a statistics method. Stands in for the pickled ``getattr(HistoryBuffer, name)``.

    Raises:
        RefusedError: If it is another attribute or another class, which mmengine never writes.
    """
    if owner is not LoadedHistory or name not in _METHODS:
        raise RefusedError(f'only the methods {", ".join(_METHODS)} of mmengine.logging.HistoryBuffer are allowed, got '
                           f'{name!r} of {owner!r}')
    return str(name)


def empty_bytes() -> bytes:
    """Return ``b''`` for the pickled ``bytes()``. An integer argument could allocate any amount of memory."""
    return b''


def latin1_bytes(text: Any, encoding: Any) -> bytes:
    """Return bytes, pickled as text in 'latin1'. Another encoding could be a decompression bomb."""
    if type(text) is not str or encoding != 'latin1':
        raise RefusedError(f'bytes must be written as text in latin1, got {encoding!r:.60}')
    return text.encode('latin1')


def small_bytearray(values: Any = b'', encoding: Any = None) -> bytearray:
    """Return a bytearray of bytes. An integer argument could allocate any amount of memory."""
    if type(values) is not bytes or encoding is not None:
        raise RefusedError(f'a bytearray must be made of bytes, got {type(values).__name__}')
    return bytearray(values)


def plain_dict(factory: str | None = None) -> dict[Any, Any]:
    """Return a dict in place of a defaultdict, because torch adds entries to dicts only."""
    return {}


def loaded_config(entries: Any) -> ConfigDict:
    """Return a section of a config."""
    if type(entries) is not dict:
        raise RefusedError(f'a ConfigDict must be made of a dict, got {type(entries).__name__}')
    return ConfigDict(entries)


def path_stand_ins() -> dict[str, Callable[..., PurePath]]:
    """Return class name -> function that makes a path, for the names of all versions of Python.

    A path of another operating system is loaded as a pure path.
    """
    here = {'PosixPath': Path if os.name == 'posix' else PurePosixPath,
            'WindowsPath': Path if os.name == 'nt' else PureWindowsPath,
            'PurePosixPath': PurePosixPath, 'PureWindowsPath': PureWindowsPath}
    return {f'{module}.{name}': _path_maker(kind) for name, kind in here.items()
            for module in ('pathlib', 'pathlib._local')}


def _path_maker(kind: type[PurePath]) -> Callable[..., PurePath]:
    def make(*parts: Any) -> PurePath:
        if not all(type(part) is str for part in parts):
            raise RefusedError(f'a path must be made of strings, got {parts!r:.60}')
        return kind(*parts)

    return make

"""Stand-ins for what checkpoints of mmengine's runner name, beside numpy's classes.

torch calls what is on its allow-list with any arguments, and sets any attribute of what comes out. So a stand-in
accepts what is written for such a value and nothing else, and returns nothing that could be called or changed for
others: no function, no class.
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
    """Stand-in for HistoryBuffer, which becomes one when its values are known.

    HistoryBuffer makes arrays of its arguments and calls methods that its state names.
    """

    def __init__(self) -> None:
        """Make an empty history: values come by ``__setstate__`` only."""

    def __setstate__(self, state: Any) -> None:
        """Take histories and length. The methods are those of every HistoryBuffer."""
        if type(state) is not dict or type(state.get('max_length')) is not int:
            raise RefusedError(f'a HistoryBuffer must have a max_length, got {state!r:.60}')
        values, counts = (_numbers(state.get(key)) for key in ('_log_history', '_count_history'))
        if len(values) != len(counts):
            raise RefusedError(f'a HistoryBuffer must have a count for each value, got {len(counts)} for {len(values)}')
        super().__init__(values, counts, state['max_length'])
        self.__class__ = HistoryBuffer


def _numbers(value: Any) -> NDArray[Any]:
    if type(value) is not LoadedArray or value.ndim != 1 or value.dtype.kind not in 'biuf':
        raise RefusedError(f'a HistoryBuffer must hold arrays of numbers, got {type(value).__name__}')
    return value.view(np.ndarray).copy()


def history_method(owner: Any, name: Any) -> str:
    """Return the name of a statistics method of HistoryBuffer, which pickle spells ``getattr(HistoryBuffer, name)``.

    Raises:
        RefusedError: For anything else: a checkpoint that asks for it was not written by mmengine alone.
    """
    if owner is not LoadedHistory or name not in _METHODS:
        raise RefusedError(f'only the methods {", ".join(_METHODS)} of mmengine.logging.HistoryBuffer are allowed, got '
                           f'{name!r} of {owner!r}')
    return str(name)


def empty_bytes() -> bytes:
    """Return ``b''``, which pickle spells ``bytes()``; with an argument, that would reserve any amount of memory."""
    return b''


def latin1_bytes(text: Any, encoding: Any) -> bytes:
    """Return bytes, which pickle spells as text and 'latin1'; another encoding could decompress a little to a lot."""
    if type(text) is not str or encoding != 'latin1':
        raise RefusedError(f'bytes must be written as text in latin1, got {encoding!r:.60}')
    return text.encode('latin1')


def small_bytearray(values: Any = b'', encoding: Any = None) -> bytearray:
    """Return a bytearray of bytes; of a number, it would reserve any amount of memory."""
    if type(values) is not bytes or encoding is not None:
        raise RefusedError(f'a bytearray must be made of bytes, got {type(values).__name__}')
    return bytearray(values)


def plain_dict(factory: str | None = None) -> dict[Any, Any]:
    """Return the dict as which a defaultdict is read: torch puts entries into dicts only."""
    return {}


def loaded_config(entries: Any) -> ConfigDict:
    """Return a part of a config."""
    if type(entries) is not dict:
        raise RefusedError(f'a ConfigDict must be made of a dict, got {type(entries).__name__}')
    return ConfigDict(entries)


def path_stand_ins() -> dict[str, Callable[..., PurePath]]:
    """Return functions that make paths, by the class names of every version of Python.

    A path of a foreign system is read as a pure one.
    """
    here = {'PosixPath': Path if os.name == 'posix' else PurePosixPath,
            'WindowsPath': Path if os.name == 'nt' else PureWindowsPath,
            'PurePosixPath': PurePosixPath, 'PureWindowsPath': PureWindowsPath}
    return {f'{module}.{name}': _path_maker(kind) for name, kind in here.items()
            for module in ('pathlib', 'pathlib._local')}


def _path_maker(kind: type[PurePath]) -> Callable[..., PurePath]:
    def make(*parts: Any) -> PurePath:
        if not all(type(part) is str for part in parts):
            raise RefusedError(f'a path must be made of texts, got {parts!r:.60}')
        return kind(*parts)

    return make

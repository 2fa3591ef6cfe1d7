"""Let torch read mmengine's checkpoints with ``weights_only=True``, which torch 2.6 and newer use by default.

Beside tensors, a checkpoint of mmengine's runner holds the meta information of a data set and a message hub: arrays,
scalars of numpy, paths, dates, parts of configs, histories of losses. torch refuses the classes of all of these unless
they are named, and calls those that are named with whatever arguments the file gives. So most names stand for a
function of this package that accepts what Python writes for such a value, and nothing else.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from hrnet_plugin.checkpoints.loaded_arrays import LoadedArray, LoadedDtype, loaded_array, loaded_scalar

_METHODS = ('min', 'max', 'current', 'mean')
# of a defaultdict, which is read as a dict: types that make its values, for which their names are enough
_FACTORIES = ('bool', 'dict', 'float', 'int', 'list', 'str', 'tuple')


def history_buffer_method(owner: Any, name: Any) -> Callable[..., Any]:
    """``getattr`` for the statistics methods of HistoryBuffer, which it stores references to.

    Raises:
        ValueError: For anything else: a checkpoint that asks for it was not written by mmengine alone.
    """
    if owner is not HistoryBuffer or name not in _METHODS:
        raise ValueError(f'refused to read {name!r} of {owner!r} from a checkpoint: only the methods '
                         f'{", ".join(_METHODS)} of mmengine.logging.HistoryBuffer are allowed')
    return getattr(HistoryBuffer, name)


def empty_bytes() -> bytes:
    """Return ``b''``, which pickle spells ``bytes()``; with an argument, that would reserve any amount of memory."""
    return b''


def plain_dict(factory: Any = None) -> dict[Any, Any]:
    """Return the dict as which a defaultdict is read: torch puts entries into dicts only."""
    return {}


def _paths() -> dict[str, type[PurePath]]:
    """Names of path classes, of every version of Python -> the class here; a foreign system's path is a pure one."""
    here = {'PosixPath': Path if os.name == 'posix' else PurePosixPath,
            'WindowsPath': Path if os.name == 'nt' else PureWindowsPath,
            'PurePosixPath': PurePosixPath, 'PureWindowsPath': PureWindowsPath}
    return {f'{module}.{name}': kind for name, kind in here.items() for module in ('pathlib', 'pathlib._local')}


def allow_mmengine_checkpoints() -> None:
    """Add what mmengine's runner stores to torch's allow-list. Does nothing where torch has none (before 2.6)."""
    if tuple(int(part) for part in torch.__version__.split('.')[:2]) < (2, 6):
        return
    named: dict[str, Any] = {
        'builtins.getattr': history_buffer_method,
        'builtins.bytes': empty_bytes,
        'collections.defaultdict': plain_dict,
        'numpy.ndarray': LoadedArray,
        'numpy.dtype': LoadedDtype,
        # by both names that numpy has for the module
        **{f'numpy.{core}.multiarray.{name}': stand_in for core in ('core', '_core')
           for name, stand_in in (('_reconstruct', loaded_array), ('scalar', loaded_scalar))},
        **{f'builtins.{name}': name for name in _FACTORIES},
        **_paths(),
    }
    torch.serialization.add_safe_globals([
        HistoryBuffer, ConfigDict, slice, frozenset,
        datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone,
        *((stand_in, name) for name, stand_in in named.items()),
    ])

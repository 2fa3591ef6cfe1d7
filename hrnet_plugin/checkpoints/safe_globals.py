"""Allow-list for loading mmengine's checkpoints with ``weights_only=True``, the default since torch 2.6.

Besides tensors, a checkpoint of mmengine's runner contains the meta information of a dataset and a message hub. They
consist of numpy arrays and scalars, paths, dates, config sections and loss histories. torch refuses their classes
unless they are on the allow-list. torch calls allowed classes with arbitrary arguments, so most names map to a safe
stand-in.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any

import torch

from hrnet_plugin.checkpoints.loaded_arrays import LoadedArray, LoadedDtype, loaded_array, loaded_scalar
from hrnet_plugin.checkpoints.stand_ins import (
    LoadedHistory,
    empty_bytes,
    history_method,
    loaded_config,
    path_stand_ins,
    plain_dict,
)

# allowed default factories of a defaultdict; it is loaded as a dict, so that their names suffice
_FACTORIES = ('bool', 'dict', 'float', 'int', 'list', 'str', 'tuple')


def has_allow_list() -> bool:
    """Return True if torch has an allow-list with names, i.e. since version 2.6."""
    return tuple(int(part) for part in torch.__version__.split('.')[:2]) >= (2, 6)


@lru_cache(maxsize=1)
def allowed_names() -> dict[str, Any]:
    """Return name in the checkpoint -> class or stand-in, for all objects besides tensors of mmengine's runner."""
    plain = (slice, frozenset, datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)
    return {
        **{f'{kind.__module__}.{kind.__qualname__}': kind for kind in plain},
        'builtins.getattr': history_method,
        'builtins.bytes': empty_bytes,
        'collections.defaultdict': plain_dict,
        'mmengine.logging.history_buffer.HistoryBuffer': LoadedHistory,
        'mmengine.config.config.ConfigDict': loaded_config,
        'numpy.ndarray': LoadedArray,
        'numpy.dtype': LoadedDtype,
        # numpy has two names for the module
        **{f'numpy.{core}.multiarray.{name}': stand_in for core in ('core', '_core')
           for name, stand_in in (('_reconstruct', loaded_array), ('scalar', loaded_scalar))},
        **{f'builtins.{name}': name for name in _FACTORIES},
        **path_stand_ins(),
    }


def user_globals() -> list[tuple[Any, str]]:
    """Return pairs of an object and its full name in the allow-list of torch. Versions before 2.4 have no such list."""
    entries: list[Any] = getattr(torch.serialization, 'get_safe_globals', list)()
    return [entry if isinstance(entry, tuple) else (entry, f'{entry.__module__}.{entry.__qualname__}')
            for entry in entries]


def has_conflicts() -> bool:
    """Return True if the user allows other objects than the stand-ins, e.g. numpy's. torch may use either."""
    return any(allowed_names().get(name, value) is not value for value, name in user_globals())


def allow_mmengine_checkpoints() -> None:
    """Add the names of :func:`allowed_names` to the allow-list of torch, if it has one."""
    if has_allow_list():
        torch.serialization.add_safe_globals([(stand_in, name) for name, stand_in in allowed_names().items()])

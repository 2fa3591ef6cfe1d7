"""Let torch read mmengine's checkpoints with ``weights_only=True``, which torch 2.6 and newer use by default.

Beside tensors, a checkpoint of mmengine's runner holds the meta information of a data set and a message hub: arrays,
scalars of numpy, paths, dates, parts of configs, histories of losses. torch refuses the classes of all of these unless
they are named. Most names stand for a stand-in of this package, since torch calls what is named with any arguments.
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

# of a defaultdict, which is read as a dict: types that make its values, for which their names are enough
_FACTORIES = ('bool', 'dict', 'float', 'int', 'list', 'str', 'tuple')


def has_allow_list() -> bool:
    """Return True if torch has an allow-list of names, as since 2.6."""
    return tuple(int(part) for part in torch.__version__.split('.')[:2]) >= (2, 6)


@lru_cache(maxsize=1)
def allowed_names() -> dict[str, Any]:
    """Return what mmengine's runner stores beside tensors: name in the checkpoint -> what it stands for."""
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
        # by both names that numpy has for the module
        **{f'numpy.{core}.multiarray.{name}': stand_in for core in ('core', '_core')
           for name, stand_in in (('_reconstruct', loaded_array), ('scalar', loaded_scalar))},
        **{f'builtins.{name}': name for name in _FACTORIES},
        **path_stand_ins(),
    }


def allow_mmengine_checkpoints() -> None:
    """Add what mmengine's runner stores to torch's allow-list, if there is one."""
    if has_allow_list():
        torch.serialization.add_safe_globals([(stand_in, name) for name, stand_in in allowed_names().items()])

"""Let torch read mmengine's checkpoints with ``weights_only=True``, which torch 2.6 and newer use by default.

Beside tensors, a checkpoint of mmengine's runner holds a message hub, whose HistoryBuffers hold numpy arrays. torch
refuses those classes unless they are named. HistoryBuffer also stores references to its own methods, which pickle
spells ``getattr(HistoryBuffer, name)``; ``getattr`` itself would open the door that ``weights_only`` closes, so a
stand-in that knows four methods of one class is allowed under its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_METHODS = ('min', 'max', 'current', 'mean')
_DTYPES = ('float16', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'bool_')


def history_buffer_method(owner: Any, name: Any) -> Callable[..., Any]:
    """``getattr`` for the statistics methods of HistoryBuffer.

    Raises:
        ValueError: For anything else: a checkpoint that asks for it was not written by mmengine alone.
    """
    if owner is not HistoryBuffer or name not in _METHODS:
        raise ValueError(f'refused to read {name!r} of {owner!r} from a checkpoint: only the methods '
                         f'{", ".join(_METHODS)} of mmengine.logging.HistoryBuffer are allowed')
    return getattr(HistoryBuffer, name)


def allow_mmengine_checkpoints() -> None:
    """Add what mmengine's runner stores to torch's allow-list. Does nothing where torch has none (before 2.6)."""
    if tuple(int(part) for part in torch.__version__.split('.')[:2]) < (2, 6):
        return
    # numpy's functions that pickles of arrays and scalars name, wherever this numpy keeps them
    builders: dict[str, Any] = {'_reconstruct': np.ndarray(0).__reduce__()[0], 'scalar': np.float64(0).__reduce__()[0]}
    torch.serialization.add_safe_globals([
        HistoryBuffer,
        np.ndarray,
        np.dtype,
        (history_buffer_method, 'builtins.getattr'),
        *((builder, f'numpy.{core}.multiarray.{name}') for name, builder in builders.items()
          for core in ('core', '_core')),
        *(type(np.dtype(getattr(np, name))) for name in _DTYPES),
    ])

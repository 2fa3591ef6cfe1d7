"""Stand-ins for numpy's classes while a checkpoint is loaded.

numpy does not validate pickled data. The file could set pointers of an object array, or item size, alignment and flags
of a dtype, to access foreign memory. torch calls allowed classes with arbitrary arguments, so numpy's classes must not
be on the allow-list. These stand-ins accept only data that numpy writes for arrays and scalars of plain numbers, text,
bytes, dates and objects.
"""

from __future__ import annotations

import math
import re
from typing import Any, SupportsIndex

import numpy as np

from hrnet_plugin.checkpoints.refusal import RefusedError

_CODE = re.compile(r'[biufcSUO?]\d{0,9}|[Mm]8')
_UNIT = re.compile(r'[A-Za-zμ]{1,2}|generic')


class LoadedDtype:
    """Loaded dtype, without the fields of its state from which numpy computes addresses.

    A dtype outside of an array is loaded as this class, and pickled again as a numpy dtype. No host stores one.

    Args:
        code: Kind and item size as written by numpy, e.g. 'f4' or 'U7'.
        align, copy: Ignored arguments, which numpy writes.

    Attributes:
        dtype: numpy dtype of the code. ``__setstate__`` adds byte order and time unit.

    Raises:
        RefusedError: If the code is not that of a plain dtype.
    """

    def __init__(self, code: Any, align: bool = False, copy: bool = False) -> None:
        text = code.decode('latin1') if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _CODE.fullmatch(text):
            raise RefusedError(f'a dtype must be one of plain numbers, text, bytes, dates or objects, got {code!r:.60}')
        self.dtype: np.dtype[Any] = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        """Set byte order and time unit from the pickled state."""
        order, subdtype, names, fields = state[1:5]
        if order not in ('<', '>', '|', '=') or (subdtype, names, fields) != (None, None, None):
            raise RefusedError('a dtype must be a plain one, got one with fields')
        if self.dtype.kind in 'Mm' and len(state) > 8:
            unit, number = state[8][1][:2]
            text = unit.decode('latin1') if isinstance(unit, bytes) else unit
            if not isinstance(text, str) or not _UNIT.fullmatch(text) or not isinstance(number, int):
                raise RefusedError(f'a dtype of dates must have a unit of time, got {unit!r:.60}')
            self.dtype = np.dtype(f'{self.dtype.kind}8[{number}{text}]' if text != 'generic' else self.dtype)
        self.dtype = self.dtype.newbyteorder(order)

    def __reduce__(self) -> Any:
        return self.dtype.__reduce__()


class LoadedArray(np.ndarray[Any, np.dtype[Any]]):
    """Loaded array. It is pickled again as a numpy array."""

    def __new__(cls) -> LoadedArray:
        return super().__new__(cls, (0, ), np.int8)

    def __setstate__(self, state: Any) -> None:
        """Set shape and values from the pickled state.

        numpy does not check the length of a list of values, and a second call would free memory in use.
        """
        *_, shape, dtype, fortran, values = state
        values = values.encode('latin1') if type(values) is str else values  # written by Python 2
        if self.__dict__ or type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
            raise RefusedError(f'an array must get its shape once, got {shape!r:.60}')
        if type(dtype) is not LoadedDtype:
            raise RefusedError(f'an array must have a dtype of numpy, got {dtype!r:.60}')
        size, item = math.prod(shape), dtype.dtype.itemsize
        kind, expected = (list, size) if dtype.dtype.hasobject else (bytes, size * item)
        if type(values) is not kind or len(values) != expected or (item == 0 and size):
            raise RefusedError(f'an array of shape {shape} and {dtype.dtype} must have {expected} '
                               f'{"values" if kind is list else "bytes"}')
        super().__setstate__((1, shape, dtype.dtype, bool(fortran), values))
        self.is_loaded = True

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


def loaded_array(cls: Any, shape: Any, code: Any) -> LoadedArray:
    """Return the empty array that ``numpy.core.multiarray._reconstruct`` would return.

    Raises:
        RefusedError: If the arguments are not those that numpy writes.
    """
    if cls is not LoadedArray or shape != (0, ) or code not in (b'b', 'b'):
        raise RefusedError(f'an array must be made of shape (0,), got {shape!r:.60}')
    return LoadedArray()


def loaded_scalar(dtype: Any, values: Any = b'') -> Any:
    """Return the scalar that ``numpy.core.multiarray.scalar`` would return.

    Raises:
        RefusedError: If the dtype is not plain or has objects.
    """
    if not isinstance(dtype, LoadedDtype) or dtype.dtype.hasobject or not isinstance(values, (bytes, str)):
        raise RefusedError(f'a scalar must be one of a plain dtype, got {dtype!r:.60}')
    raw = values.encode('latin1') if isinstance(values, str) else values
    if len(raw) != dtype.dtype.itemsize:
        raise RefusedError(f'a scalar of {dtype.dtype} must have {dtype.dtype.itemsize} bytes, got {len(raw)}')
    return np.ndarray((), dtype.dtype, raw)[()]

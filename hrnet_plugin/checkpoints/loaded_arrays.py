"""Stand-ins for numpy's classes while a checkpoint is read.

numpy trusts what it unpickles. An array of objects takes its pointers from the file's bytes where the file says so, and
a dtype takes its item size, alignment and flags from there: both lead to memory that is not the array's. torch calls
whatever is on its allow-list with any arguments, so that numpy's own classes on it would open that way. These accept
what numpy writes for arrays and scalars of plain numbers, text, bytes, dates and objects, and refuse everything else.
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
    """A dtype that was read, without the parts of its state from which numpy computes addresses.

    A dtype that is no array's, which no host stores, is read as this class. It is written again as numpy's.

    Args:
        code: Kind and item size as numpy writes them, such as 'f4' or 'U7'.
        align, copy: As numpy writes them; without effect.

    Attributes:
        dtype: The numpy dtype of that code and, after ``__setstate__``, of that byte order and unit of time.

    Raises:
        RefusedError: If the code is not of a plain dtype.
    """

    def __init__(self, code: Any, align: bool = False, copy: bool = False) -> None:
        text = code.decode('latin1') if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _CODE.fullmatch(text):
            raise RefusedError(f'a dtype must be one of plain numbers, text, bytes, dates or objects, got {code!r:.60}')
        self.dtype: np.dtype[Any] = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        """Take byte order and unit of time from what numpy wrote."""
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
    """An array that was read. It is written again as numpy's own."""

    def __new__(cls) -> LoadedArray:
        return super().__new__(cls, (0, ), np.int8)

    def __setstate__(self, state: Any) -> None:
        """Take shape and values from what numpy wrote.

        numpy believes that a list has as many values as the shape, and frees memory in use if it is done twice.
        """
        *_, shape, dtype, fortran, values = state
        values = values.encode('latin1') if type(values) is str else values  # of Python 2
        if self.__dict__ or type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
            raise RefusedError(f'an array must get its shape once, got {shape!r:.60}')
        if type(dtype) is not LoadedDtype:
            raise RefusedError(f'an array must have a dtype of numpy, got {dtype!r:.60}')
        size, item = math.prod(shape), dtype.dtype.itemsize
        kind, wanted = (list, size) if dtype.dtype.hasobject else (bytes, size * item)
        if type(values) is not kind or len(values) != wanted or (item == 0 and size):
            raise RefusedError(f'an array of shape {shape} and {dtype.dtype} must have {wanted} '
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
        RefusedError: If anything but that is asked for.
    """
    if cls is not LoadedArray or shape != (0, ) or code not in (b'b', 'b'):
        raise RefusedError(f'an array must be made of shape (0,), got {shape!r:.60}')
    return LoadedArray()


def loaded_scalar(dtype: Any, values: Any = b'') -> Any:
    """Return the scalar that ``numpy.core.multiarray.scalar`` would return.

    Raises:
        RefusedError: If the dtype is not plain, or is one of objects.
    """
    if not isinstance(dtype, LoadedDtype) or dtype.dtype.hasobject or not isinstance(values, (bytes, str)):
        raise RefusedError(f'a scalar must be one of a plain dtype, got {dtype!r:.60}')
    raw = values.encode('latin1') if isinstance(values, str) else values
    if len(raw) != dtype.dtype.itemsize:
        raise RefusedError(f'a scalar of {dtype.dtype} must have {dtype.dtype.itemsize} bytes, got {len(raw)}')
    return np.ndarray((), dtype.dtype, raw)[()]

"""Stand-ins for numpy's classes while a checkpoint is read.

numpy trusts what it unpickles. An array of objects takes its pointers from the file's bytes where the file says so, and
a dtype takes its item size, alignment and flags from there: both lead to memory that is not the array's. torch calls
whatever is on its allow-list with any arguments, so that numpy's own classes on it would open that way. These accept
what numpy writes for arrays and scalars of plain numbers, text, bytes, dates and objects, and refuse everything else.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_CODE = re.compile(r'[biufcSUO?]\d{0,9}|[Mm]8')
_UNIT = re.compile(r'[A-Za-zμ]{1,2}|generic')


class LoadedDtype:
    """A dtype that was read, without the parts of its state from which numpy computes addresses.

    Args:
        code: Kind and item size as numpy writes them, such as 'f4' or 'U7'.
        align, copy: As numpy writes them; without effect.

    Attributes:
        dtype: The numpy dtype of that code and, after ``__setstate__``, of that byte order and unit of time.

    Raises:
        ValueError: If the code is not of a plain dtype.
    """

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        text = code.decode('latin1') if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _CODE.fullmatch(text):
            raise ValueError(f'refused to read the dtype {code!r}: it must be one of plain numbers, text, bytes, dates '
                             'or objects')
        self.dtype: np.dtype[Any] = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        """Take byte order and unit of time from what numpy wrote."""
        order, subdtype, names, fields = state[1:5]
        if order not in ('<', '>', '|', '=') or (subdtype, names, fields) != (None, None, None):
            raise ValueError('refused to read a dtype with fields: it must be a plain one')
        if self.dtype.kind in 'Mm' and len(state) > 8:
            unit, number = state[8][1][:2]
            text = unit.decode('latin1') if isinstance(unit, bytes) else unit
            if not isinstance(text, str) or not _UNIT.fullmatch(text) or not isinstance(number, int):
                raise ValueError(f'refused to read a dtype of the time unit {unit!r}')
            self.dtype = np.dtype(f'{self.dtype.kind}8[{number}{text}]' if text != 'generic' else self.dtype)
        self.dtype = self.dtype.newbyteorder(order)

    def __reduce__(self) -> Any:
        return self.dtype.__reduce__()


class LoadedArray(np.ndarray):
    """An array that was read. It is written again as numpy's own."""

    def __new__(cls) -> LoadedArray:
        return super().__new__(cls, (0, ), np.int8)

    def __setstate__(self, state: Any) -> None:
        """Take shape and values from what numpy wrote, for which its own checks hold."""
        *_, shape, dtype, fortran, values = state
        if not isinstance(dtype, LoadedDtype):
            raise ValueError(f'refused to read an array of the dtype {dtype!r}')
        if isinstance(values, str):  # of Python 2
            values = values.encode('latin1')
        if dtype.dtype.itemsize == 0 and shape != (0, ):
            raise ValueError(f'refused to read an array of shape {shape!r} whose items have no bytes')
        super().__setstate__((1, shape, dtype.dtype, fortran, values))

    def __reduce__(self) -> Any:
        return self.view(np.ndarray).__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


def loaded_array(cls: Any, shape: Any, code: Any) -> LoadedArray:
    """Return the empty array that ``numpy.core.multiarray._reconstruct`` would return.

    Raises:
        ValueError: If anything but that is asked for.
    """
    if cls is not LoadedArray or shape != (0, ) or code not in (b'b', 'b'):
        raise ValueError(f'refused to read an array of shape {shape!r} and dtype {code!r} without values')
    return LoadedArray()


def loaded_scalar(dtype: Any, values: Any = b'') -> Any:
    """Return the scalar that ``numpy.core.multiarray.scalar`` would return.

    Raises:
        ValueError: If the dtype is not plain, or is one of objects.
    """
    if not isinstance(dtype, LoadedDtype) or dtype.dtype.hasobject or not isinstance(values, (bytes, str)):
        raise ValueError(f'refused to read a scalar of {dtype!r}')
    raw = values.encode('latin1') if isinstance(values, str) else values
    if len(raw) != dtype.dtype.itemsize:
        raise ValueError(f'refused to read a scalar of {len(raw)} bytes as {dtype.dtype}')
    return np.ndarray((), dtype.dtype, raw)[()]

"""Reading detections one by one: as objects, those of all of test-dev need gigabytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hrnet_plugin.requirements import install_command

DEEPEST = 8  # nested lists and objects; masks have 4
_REASON = 100  # characters of ijson's message, which may quote a whole number
_ESCAPE = re.compile(rb'\\.', re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b'[]{}'))  # characters that open and close nothing
_STEPS = np.zeros(256, np.int64)
_STEPS[list(b'[{')], _STEPS[list(b']}')] = 1, -1


def read_detections(file: str | Path) -> Iterator[Any]:
    """The elements of a JSON list, in memory that does not grow with it.

    Args:
        file: Its path.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If there is no such file.
        ValueError: If it is not JSON, not whole, no list, or nested deeper than :data:`DEEPEST`; the message says where
            it stops.
    """
    try:
        import ijson
    except ImportError:
        raise ImportError(f'submissions need ijson, which is not installed: {install_command("ijson")}') from None
    number = 0
    with open(file, 'rb') as opened:
        first = opened.read(4096).lstrip()
        if not first.startswith(b'['):
            raise ValueError(f'results must be a JSON list, got a file that begins with {first[:20]!r}')
        opened.seek(0)
        shallow = _ShallowFile(opened)
        try:
            for element in ijson.items(shallow, 'item', use_float=True):
                yield element
                number += 1
        except ijson.JSONError as error:
            if not shallow.too_deep:
                reason = str(error).partition('\n')[0][:_REASON]  # its other lines show the place in the file
                raise ValueError(f'results must be whole JSON, got an error after {number} detections: {reason}'
                                 ) from None
    if shallow.too_deep:
        raise ValueError(f'results must have at most {DEEPEST} nested lists and objects, got more')


class _ShallowFile:
    """JSON file that ends before the block in which it is nested too deeply.

    ijson keeps the path to each open list and object: memory that is quadratic in the depth. Counting the brackets of a
    block at once costs less than counting ijson's events.

    Attributes:
        too_deep: True after such a block.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.too_deep = False
        self._file = file
        self._depth = 0
        self._in_string = False
        self._rest = b''  # a backslash at the end of the last block

    def read(self, size: int = -1) -> bytes:
        """Read a block, or nothing if it is nested too deeply."""
        block = self._file.read(size)
        steps = _STEPS[np.frombuffer(self._brackets(block), np.uint8)]
        depths = np.cumsum(np.append(self._depth, steps))
        self.too_deep = self.too_deep or bool(depths.max() > DEEPEST)
        self._depth = int(depths[-1])
        return b'' if self.too_deep else block

    def _brackets(self, block: bytes) -> bytes:
        """Return the brackets of a block that are in no string."""
        unescaped = _ESCAPE.sub(b'', self._rest + block)
        self._rest = b'\\' if unescaped.endswith(b'\\') else b''
        parts = unescaped.split(b'"')
        outside = parts[self._in_string::2]
        self._in_string ^= len(parts) % 2 == 0
        return b''.join(outside).translate(None, _OTHERS)

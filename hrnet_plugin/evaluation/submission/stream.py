"""Streaming reader of detections. All detections of test-dev as Python objects take gigabytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hrnet_plugin.requirements import install_command

DEEPEST = 8  # nesting depth; masks have 4
_REASON = 100  # characters of ijson's message, which may quote a number of any length
_ESCAPE = re.compile(rb'\\.', re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b'[]{}'))  # characters other than brackets
_STEPS = np.zeros(256, np.int64)
_STEPS[list(b'[{')], _STEPS[list(b']}')] = 1, -1


def read_detections(file: str | Path) -> Iterator[Any]:
    """Iterate over the elements of a JSON list in bounded memory.

    Args:
        file: Path of the JSON file.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is not complete JSON, not a list, or nested deeper than :data:`DEEPEST`.
    """
    try:
        import ijson
    except ImportError:
        raise ImportError(f'submissions require ijson, which is not installed: {install_command("ijson")}') from None
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
                reason = str(error).partition('\n')[0][:_REASON]  # its other lines show an excerpt of the file
                raise ValueError(f'results must be complete JSON, got an error after {number} detections: {reason}'
                                 ) from None
    if shallow.too_deep:
        raise ValueError(f'results must have at most {DEEPEST} nested lists and objects, got more')


class _ShallowFile:
    """JSON file that ends before the first block that is nested too deeply.

    ijson stores the path to each open list and object, which takes memory quadratic in the depth. Counting the brackets
    of a whole block is faster than counting ijson's events.

    Attributes:
        too_deep: True after a block that is nested too deeply.
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
        """Return the brackets of a block outside of strings."""
        unescaped = _ESCAPE.sub(b'', self._rest + block)
        self._rest = b'\\' if unescaped.endswith(b'\\') else b''
        parts = unescaped.split(b'"')
        outside = parts[self._in_string::2]
        self._in_string ^= len(parts) % 2 == 0
        return b''.join(outside).translate(None, _OTHERS)

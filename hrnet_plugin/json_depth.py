"""Nesting depth of JSON without parsing it."""

from __future__ import annotations

import re

import numpy as np

_ESCAPE = re.compile(rb'\\.', re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b'[]{}'))  # characters other than brackets
_STEPS = np.zeros(256, np.int64)
_STEPS[list(b'[{')], _STEPS[list(b']}')] = 1, -1


class DepthScan:
    """Nesting depth of JSON, from its brackets outside of strings.

    It takes a fraction of the time of parsing, and no memory per level. The result is that of a parser up to the first
    syntax error.

    Attributes:
        deepest: Maximum depth so far.
    """

    def __init__(self) -> None:
        self.deepest = 0
        self._depth = 0
        self._in_string = False
        self._rest = b''  # a backslash at the end of the last block

    def add(self, block: bytes) -> None:
        """Scan the next bytes."""
        steps = _STEPS[np.frombuffer(self._brackets(block), np.uint8)]
        depths = np.cumsum(np.append(self._depth, steps))
        self.deepest = max(self.deepest, int(depths.max()))
        self._depth = int(depths[-1])

    def _brackets(self, block: bytes) -> bytes:
        """Return the brackets of a block outside of strings."""
        unescaped = _ESCAPE.sub(b'', self._rest + block)
        self._rest = b'\\' if unescaped.endswith(b'\\') else b''
        parts = unescaped.split(b'"')
        outside = parts[self._in_string::2]
        self._in_string ^= len(parts) % 2 == 0
        return b''.join(outside).translate(None, _OTHERS)

"""Values in the check of a pickle: their kinds, sizes and depths in place of the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from hrnet_plugin.checkpoints.refusal import RefusedError

MAX_DEPTH = 100
_BYTES_PER_UNIT = 8  # of text, in the size of a value
_SMALL = 1 << 63


@dataclass(slots=True, eq=False)
class Made:
    """Value that instructions of a pickle make.

    Attributes:
        kind: 'tuple', 'list', 'dict', 'set', 'global' (a name), 'call' (its result) or 'storage'.
        name: Name of the global, or of the one that is called.
        items: Items of a tuple.
        size: Number of values in it, where a shared value counts each time.
        depth: Depth of nesting.
        is_shared: Whether another value may refer to it, so that it must not change.
        first: First item.
        unusual: Number of items that are unusual as keys. See :func:`is_unusual`.
        unusual_pairs: Number of items whose own first item is unusual as a key.
        hashed: Number of unusual keys of the mappings in it, where a shared value counts each time.
    """

    kind: str
    name: str = ''
    items: tuple[Value, ...] = ()
    size: int = 1
    depth: int = 0
    is_shared: bool = False
    first: Value = None
    unusual: int = 0
    unusual_pairs: int = 0
    hashed: int = 0


Value: TypeAlias = 'Made | str | int | float | bytes | None'


class Rules(Protocol):
    """Rules for names, calls and storages. Methods raise :class:`RefusedError`."""

    def check_global(self, module: str, name: str) -> str:
        """Check a name and return it as in current versions of Python."""

    def check_call(self, name: str, arguments: tuple[Value, ...]) -> int:
        """Check a call, and return the number of unusual keys that it hashes."""

    def check_state(self, name: str) -> None:
        """Check that the results of calls of a name may get a state."""

    def check_storage(self, identity: tuple[Value, ...]) -> None:
        """Check a reference to a storage outside of the pickle."""


def size_of(value: Value) -> int:
    """Return the number of values in a value, where text counts by its length."""
    if isinstance(value, Made):
        return value.size
    return 1 + len(value) // _BYTES_PER_UNIT if isinstance(value, (str, bytes)) else 1


def is_unusual(key: Value) -> bool:
    """Return True for keys other than text and small numbers. Tuples and long integers may all have the same hash."""
    if isinstance(key, int):
        return not -_SMALL <= key < _SMALL
    return not isinstance(key, (str, float))


def grow(made: Made, items: Iterable[Value]) -> None:
    """Add items to a value.

    Raises:
        RefusedError: If the value is too deep.
    """
    for item in items:
        if made.size == 1:
            made.first = item
        made.size += size_of(item)
        made.unusual += is_unusual(item)
        if isinstance(item, Made):
            made.unusual_pairs += is_unusual(item.first)
            made.hashed += item.hashed
            made.depth = max(made.depth, item.depth + 1)
    if made.depth > MAX_DEPTH:
        raise RefusedError(f'values of a checkpoint must be nested at most {MAX_DEPTH} deep, got more')

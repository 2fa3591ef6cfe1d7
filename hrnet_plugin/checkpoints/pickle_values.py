"""Values in the check of a pickle: their kinds, sizes and depths in place of the values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from hrnet_plugin.checkpoints.refusal import RefusedError

MAX_DEPTH = 100
_BYTES_PER_UNIT = 8  # of text, in the size of a value


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
    """

    kind: str
    name: str = ''
    items: tuple[Value, ...] = ()
    size: int = 1
    depth: int = 0
    is_shared: bool = False


Value: TypeAlias = 'Made | str | int | float | bytes | None'


class Rules(Protocol):
    """Rules for names, calls and storages. Methods raise :class:`RefusedError`."""

    def check_global(self, module: str, name: str) -> str:
        """Check a name and return it as in current versions of Python."""

    def check_call(self, name: str, arguments: tuple[Value, ...]) -> None:
        """Check a call."""

    def check_state(self, name: str) -> None:
        """Check that the results of calls of a name may get a state."""

    def check_storage(self, identity: tuple[Value, ...]) -> None:
        """Check a reference to a storage outside of the pickle."""


def size_of(value: Value) -> int:
    """Return the number of values in a value, where text counts by its length."""
    if isinstance(value, Made):
        return value.size
    return 1 + len(value) // _BYTES_PER_UNIT if isinstance(value, (str, bytes)) else 1


def grow(made: Made, items: Iterable[Value]) -> None:
    """Add items to a value.

    Raises:
        RefusedError: If the value is too deep.
    """
    for item in items:
        made.size += size_of(item)
        if isinstance(item, Made) and item.depth >= made.depth:
            made.depth = item.depth + 1
    if made.depth > MAX_DEPTH:
        raise RefusedError(f'values of a checkpoint must be nested at most {MAX_DEPTH} deep, got more')

"""Names of types in configs."""

from __future__ import annotations


def type_name(kind: str | type) -> str:
    """Return the name of a type in a config, without scope.

    Args:
        kind: Name of the type, or the type itself as in new-style configs.
    """
    return getattr(kind, '__name__', None) or str(kind).rsplit('.', 1)[-1]

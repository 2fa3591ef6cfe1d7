"""Sphinx extension for docstrings that leaves out the generated ones."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_GENERATED = re.compile(r'Alias for field number \d+')  # fields of a NamedTuple, which its docstring describes


def _skip(app: Sphinx, kind: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    return True if _GENERATED.fullmatch(getattr(member, '__doc__', None) or '') else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension to autodoc."""
    app.connect('autodoc-skip-member', _skip)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}

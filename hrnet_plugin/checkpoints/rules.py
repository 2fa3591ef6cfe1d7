"""Renaming of state-dict keys between two layouts, in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Rule:
    """Correspondence of keys in two layouts, such as ``Rule('fpn_conv.#.*', 'fpn_convs.#.conv.*')``.

    Args:
        theirs: Template of their keys. ``#`` stands for a number and ``*`` for any text.
        ours: Template of our keys, with the same placeholders in the same order.
    """

    theirs: str
    ours: str

    def forward(self, name: str) -> str | None:
        """Return our key for one of theirs, or None if the rule does not match."""
        return _renamed(name, self.theirs, self.ours)

    def backward(self, name: str) -> str | None:
        """Return their key for one of ours, or None if the rule does not match."""
        return _renamed(name, self.ours, self.theirs)


def our_names(rules: Sequence[Rule], names: Iterable[str]) -> dict[str, str]:
    """Map their keys to ours by the first rule that matches. Keys without one are left out."""
    return _renamed_by_first([rule.forward for rule in rules], names)


def their_names(rules: Sequence[Rule], names: Iterable[str]) -> dict[str, str]:
    """Map our keys to theirs by the first rule that matches. Keys without one are left out."""
    return _renamed_by_first([rule.backward for rule in rules], names)


def _renamed_by_first(functions: Sequence[Callable[[str], str | None]], names: Iterable[str]) -> dict[str, str]:
    pairs = ((name, next((new for new in (rename(name) for rename in functions) if new is not None), None))
             for name in names)
    return {name: new for name, new in pairs if new is not None}


def matches(template: str, name: str) -> bool:
    """Return True if a key matches a template."""
    return _pattern(template).fullmatch(name) is not None


def matches_any(templates: Iterable[str], name: str) -> bool:
    """Return True if a key matches one of the templates."""
    return any(matches(template, name) for template in templates)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r'\#', r'(\d+)').replace(r'\*', '(.*)'))


def _renamed(name: str, old: str, new: str) -> str | None:
    found = _pattern(old).fullmatch(name)
    if found is None:
        return None
    values = iter(found.groups())
    return re.sub(r'[#*]', lambda _: next(values), new)

"""Names of tensors in two layouts, and the way from one to the other and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Rule:
    """Names in two layouts, such as ``Rule('fpn_conv.#.*', 'fpn_convs.#.conv.*')``.

    Args:
        theirs, ours: Names, in which ``#`` stands for a number and ``*`` for anything, in the same order in both.
    """

    theirs: str
    ours: str

    def forward(self, name: str) -> str | None:
        """Our name for one of theirs; None if the rule is not about it."""
        return _renamed(name, self.theirs, self.ours)

    def backward(self, name: str) -> str | None:
        """Their name for one of ours; None if the rule is not about it."""
        return _renamed(name, self.ours, self.theirs)


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r'\#', r'(\d+)').replace(r'\*', '(.*)'))


def _renamed(name: str, old: str, new: str) -> str | None:
    found = _pattern(old).fullmatch(name)
    if found is None:
        return None
    values = iter(found.groups())
    return re.sub(r'[#*]', lambda _: next(values), new)


def matches(template: str, name: str) -> bool:
    """Whether a name is one that a template stands for."""
    return _pattern(template).fullmatch(name) is not None


def matches_any(templates: Iterable[str], name: str) -> bool:
    """Whether a name is one that any of some templates stands for."""
    return any(matches(template, name) for template in templates)

"""Names of tensors in two layouts, and the way from one to the other and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Rule:
    """Names in two layouts, such as ``Rule('fpn_conv.#.*', 'fpn_convs.#.conv.*')``.

    Args:
        theirs, ours: Names, in which ``#`` stands for a number and ``*`` for anything, in the same order in both.
    """

    theirs: str
    ours: str

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return _pattern(self.theirs), _pattern(self.ours)

    def forward(self, name: str) -> str | None:
        """Our name for one of theirs; None if the rule is not about it."""
        return _renamed(name, self._patterns[0], self.ours)

    def backward(self, name: str) -> str | None:
        """Their name for one of ours; None if the rule is not about it."""
        return _renamed(name, self._patterns[1], self.theirs)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.escape(template).replace(r'\#', r'(\d+)').replace('#', r'(\d+)').replace(r'\*', '(.*)'))


def _renamed(name: str, pattern: re.Pattern[str], template: str) -> str | None:
    found = pattern.fullmatch(name)
    if found is None:
        return None
    values = iter(found.groups())
    return re.sub(r'[#*]', lambda _: next(values), template)


def matches(template: str, name: str) -> bool:
    """Whether a name is one that a template stands for."""
    return _pattern(template).fullmatch(name) is not None

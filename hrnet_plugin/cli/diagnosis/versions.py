"""Versions, and the version ranges that a host asserts at import."""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r'v?(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?')
_RANKS = {'a': -3, 'b': -2, 'rc': -1}
_BOUND = re.compile(r'^(mmcv|mmengine)_(min|max)(?:imum_version)?\s*=\s*[\'"]([^\'"]+)[\'"]', re.I | re.M)
_LENGTH = 4


def parse_version(text: str) -> tuple[int, ...]:
    """Parse a version into a tuple that compares in the order of releases. Build labels are ignored.

    >>> parse_version('2.0.0rc4') < parse_version('2.0') < parse_version('2.0.1+cpu')
    True

    Raises:
        ValueError: ``text`` is not a version.
    """
    match = _VERSION.match(text)
    if match is None:
        raise ValueError(f"text must be a version such as '2.1.0', got {text!r}")
    release = [int(part) for part in match[1].split('.')][:_LENGTH]
    return (*release, *[0] * (_LENGTH - len(release)), _RANKS.get(match[2], 0), int(match[3] or 0))


@dataclass(frozen=True)
class Range:
    """Versions of a library that a host accepts."""

    library: str
    minimum: str
    maximum: str
    includes_maximum: bool = False

    def __str__(self) -> str:
        return f'{self.library}{self.bounds}'

    @property
    def bounds(self) -> str:
        return f'>={self.minimum},<{"=" * self.includes_maximum}{self.maximum}'

    def contains(self, version: str) -> bool:
        value, maximum = parse_version(version), parse_version(self.maximum)
        is_below = value <= maximum if self.includes_maximum else value < maximum
        return parse_version(self.minimum) <= value and is_below


def read_ranges(source: str) -> tuple[Range, ...]:
    """Read the version ranges from the source of a host's ``__init__.py``. Forks have none.

    >>> [str(found) for found in read_ranges("MMCV_MIN = '2.0.0rc4'\\nMMCV_MAX = '2.2.0'")]
    ['mmcv>=2.0.0rc4,<2.2.0']
    """
    bounds: dict[str, dict[str, str]] = {}
    for library, end, version in _BOUND.findall(source):
        bounds.setdefault(library.lower(), {})[end.lower()] = version
    return tuple(Range(library, found['min'], found['max'], _includes_maximum(source, library))
                 for library, found in bounds.items() if len(found) == 2)


def _includes_maximum(source: str, library: str) -> bool:
    return re.search(rf'{library}_version\s*<=\s*(digit_version\()?{library}_max', source, re.I) is not None

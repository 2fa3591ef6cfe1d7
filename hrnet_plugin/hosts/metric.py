"""Metric of a host's evaluators: key, name, unit and direction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

Direction = Literal['higher', 'lower', 'unknown']


class Unit(NamedTuple):
    """Unit of an evaluator's values, and how tables show them.

    Attributes:
        shown: Unit in tables. Empty if names of metrics have no unit.
        factor: Factor from the evaluator's value to the shown one.
        digits: Number of decimals in tables. None for four significant digits.
    """

    shown: str
    factor: float
    digits: int | None


#: Name of a unit -> unit.
UNITS = {
    'fraction': Unit('%', 100, 1),
    'percent': Unit('%', 1, 1),
    'pixels': Unit('px', 1, 2),
    'millimeters': Unit('mm', 1, 1),
    'annotations': Unit('', 1, None),  # that of the annotations, e.g. meters for depth
    'ratio': Unit('', 1, 3),  # errors that publications give as a plain number
    'count': Unit('', 1, 0),
    'unknown': Unit('', 1, None)}
#: Wildcard in names and keys -> regular expression of its values: a number, or any text.
WILDCARDS = {'#': r'(-?\d+(?:\.\d+)?)', '*': '(.+)'}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """Metric of a host's evaluators, or a group of metrics with variable keys.

    In ``name`` and ``key``, ``#`` stands for a number and ``*`` for any text, e.g. 'pascal_voc/AP#'.

    Args:
        name: Name in tables, e.g. 'mask AP50'. Its wildcards get the values of those in the key.
        key: Key in the logs, with the evaluator's default prefix. Empty if it is not logged.
        evaluators: Classes of the host that compute it.
        unit: Unit of the evaluator's value, a key of :data:`UNITS`.
        direction: 'higher' or 'lower' for better values, or 'unknown'.
        digits: Number of decimals in tables. Default: that of the unit.
        lowest: Lowest possible value. Lower values are undefined, e.g. -1 in the COCO API.
        is_renamed: Whether records store it by its name instead of its key, as published tables do.
        is_shown: Whether leaderboards have a column for it. All metrics can be chosen with ``--by``.
        is_drawn: Whether to plot its curve for training runs.
        is_detail: Whether it is the value of one class or action, which tables list separately.
        requires_key: Key that must also be logged. Empty if ``key`` is unique.
    """

    name: str
    key: str
    evaluators: tuple[str, ...] = ()
    unit: str = 'fraction'
    direction: Direction = 'higher'
    digits: int | None = None
    lowest: float = 0.
    is_renamed: bool = False
    is_shown: bool = True
    is_drawn: bool = True
    is_detail: bool = False
    requires_key: str = ''

    @property
    def prefix(self) -> str:
        """Default prefix of the evaluator's keys. Empty if it has none."""
        prefix = self.key.rpartition('/')[0]
        return '' if set(prefix) & set(WILDCARDS) else prefix

    @property
    def stored(self) -> str:
        """Key in records."""
        return self.name if self.is_renamed else self.key

    @property
    def shown_unit(self) -> str:
        """Unit in tables, e.g. '%'. Empty for plain numbers."""
        return UNITS[self.unit].shown

    @property
    def title(self) -> str:
        """Name with its unit, unless that is percent."""
        return self.name if self.shown_unit in ('', '%') else f'{self.name} ({self.shown_unit})'

    def is_defined(self, value: float) -> bool:
        """Return True if an evaluator's value is finite and possible. -1 is undefined for an unknown metric, too."""
        return math.isfinite(value) and value >= self.lowest and (self.unit != 'unknown' or value != -1)

    def show(self, value: float) -> float:
        """Convert an evaluator's value to the unit of tables, e.g. a fraction to percent."""
        return value * UNITS[self.unit].factor

    @property
    def decimals(self) -> int | None:
        """Number of decimals in tables. None for four significant digits."""
        return UNITS[self.unit].digits if self.digits is None else self.digits

    def format(self, value: float) -> str:
        """Return a value in the unit of tables as text."""
        if self.decimals is None:
            return f'{value:.4g}' if abs(value) < 1e4 else f'{value:.0f}'  # no exponent
        return f'{value:.{self.decimals}f}'


def unknown_metric(key: str) -> Metric:
    """Return the metric of an evaluator that no host has."""
    return Metric(name=key, key=key, unit='unknown', direction='unknown', lowest=-math.inf)

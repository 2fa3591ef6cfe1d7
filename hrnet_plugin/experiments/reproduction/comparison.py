"""Comparison of a stored test with the expected figures of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hrnet_plugin.evaluation.leaderboard.metrics import METRICS, shown_metrics
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.experiments.reproduction.row import Row
from hrnet_plugin.suggest import did_you_mean

Verdict = Literal['agrees', 'differs', 'not comparable', 'failed', 'skipped']
_ROUNDING = 1e-9  # of differences such as 37.0 - 36.9


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Metric of a row.

    Attributes:
        metric: Name of the metric.
        value: Measured value in the unit of tables, or None if the test has none.
        expected: Expected value in the same unit.
        is_deciding: Whether it determines the verdict.
    """

    metric: str
    value: float | None
    expected: float
    is_deciding: bool

    @property
    def difference(self) -> float | None:
        """Measured minus expected value, or None."""
        return None if self.value is None else self.value - self.expected

    @property
    def text(self) -> str:
        """Metric with measured value, expected value and difference."""
        if self.value is None:
            return f'{self.metric} -, expected {self.expected:g}'
        return f'{self.metric} {self.value:.2f}, expected {self.expected:g} ({self.difference:+.2f})'


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of a row.

    Attributes:
        row: Row to reproduce.
        verdict: 'agrees', 'differs', 'not comparable', 'failed', or 'skipped' without weights or data.
        reason: Reason of the verdict in one line. Empty if the figures are the reason.
        figures: Metrics, first those that determine the verdict.
        record: Record of the test, or None.
        number: Number of the record in the store of the output folder, or None.
        seconds: Duration of the test in seconds. None if it was not run by this command.
    """

    row: Row
    verdict: Verdict
    reason: str = ''
    figures: tuple[Figure, ...] = ()
    record: Record | None = None
    number: int | None = None
    seconds: float | None = None


def compare(row: Row, record: Record, tolerance: float) -> tuple[Verdict, str, tuple[Figure, ...]]:
    """Compare a test with the expected figures of its row.

    Args:
        row: Row to reproduce.
        record: Record of the test.
        tolerance: Largest accepted difference of a deciding metric, in the unit of tables.

    Returns:
        Verdict, reason and figures of an :class:`Outcome`.
    """
    values = shown_metrics(record.task, record.scores.metrics)
    names = [*row.deciding, *(name for name in row.expected if name not in row.deciding)]
    figures = tuple(Figure(metric=name, value=values.get(name), expected=row.expected[name],
                           is_deciding=name in row.deciding) for name in names)
    reason = _obstacle(row, record) or _missing_metrics(record.task, figures)
    if reason:
        return 'not comparable', reason, figures
    differences = (abs(figure.difference) for figure in figures
                   if figure.is_deciding and figure.difference is not None)
    return 'agrees' if max(differences) <= tolerance + _ROUNDING else 'differs', '', figures


def _obstacle(row: Row, record: Record) -> str:
    """Return why the test of a record is not that of the row, or an empty string."""
    data, is_published = record.data, row.images is None
    tested = f'{data.images} images of {data.data} {data.split}'.rstrip()
    if data.data != (row.data or data.data) or data.split != (row.split or data.split):
        return f'{tested} were tested instead of {" ".join(filter(None, (row.data, row.split)))}'
    if is_published and not data.whole:
        return f'{tested} are not the whole split'
    if not is_published and data.images != row.images:
        return f'{tested} were tested instead of {row.images} images'
    if is_published and record.model.note:
        return f'the test has the note "{record.model.note}"'
    if (is_published or row.test) and record.conditions.test != row.test:
        return f'the test-time augmentation was {record.conditions.test!r} instead of {row.test!r}'
    return ''


def _missing_metrics(task: str, figures: Sequence[Figure]) -> str:
    """Return the metrics that the test has not measured as a reason, or an empty string."""
    missing = [figure.metric for figure in figures if figure.value is None]
    unknown = next((name for name in missing if name not in METRICS[task]), '')
    return f'the test has no {", ".join(missing)}.{did_you_mean(unknown, METRICS[task])}'.rstrip('.') if missing else ''

"""Results of a reproduction as text, Markdown and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import chain
from pathlib import Path

from hrnet_plugin.escaping import escape_controls, escape_markdown
from hrnet_plugin.evaluation.csv_rows import write_rows
from hrnet_plugin.evaluation.markdown import markdown_table
from hrnet_plugin.experiments.reproduction.comparison import Outcome
from hrnet_plugin.files import atomic_writes

_TITLES = ('row', 'config', 'images', 'figures', 'verdict', 'reason')
_CSV_COLUMNS = ('row', 'config', 'checkpoint', 'checkpoint_sha256', 'data', 'split', 'images', 'test', 'metric',
                'decides', 'value', 'expected', 'difference', 'verdict', 'reason', 'note', 'record')


def outcome_line(outcome: Outcome, number: int, total: int) -> str:
    """Return the outcome of a row as one line, with control characters escaped.

    Args:
        outcome: Outcome of the row.
        number: Number of the row, from 1.
        total: Number of rows.
    """
    figures = '; '.join(figure.text for figure in outcome.figures if figure.is_deciding)
    words = ': '.join(filter(None, (outcome.row.name, figures, outcome.verdict, outcome.reason)))
    if outcome.record is not None:
        words += ' (tested before)' if outcome.seconds is None else f' ({outcome.seconds:.0f} s)'
    return escape_controls(f'[{number}/{total}] {words}')


def write_tables(outcomes: Sequence[Outcome], tolerance: float, out: Path) -> None:
    """Write ``reproduce.md`` and ``reproduce.csv`` atomically and together.

    Args:
        outcomes: Outcomes of all rows so far.
        tolerance: Largest accepted difference, in the unit of tables.
        out: Output folder.
    """
    with atomic_writes(out) as scratch:
        scratch('reproduce.md').write_text(markdown(outcomes, tolerance), encoding='utf-8')
        scratch('reproduce.csv').write_text(as_csv(outcomes), encoding='utf-8')


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the number of rows per verdict, and the names of those that neither agree nor were skipped."""
    verdicts = [outcome.verdict for outcome in outcomes]
    counts = ', '.join(f'{verdicts.count(verdict)} {verdict}' for verdict in dict.fromkeys(verdicts))
    named = [f'{outcome.row.name} ({outcome.verdict})' for outcome in outcomes
             if outcome.verdict not in ('agrees', 'skipped')]
    return f'{len(outcomes)} rows: {counts}' + (f'. Look at {", ".join(named)}' if named else '')


def markdown(outcomes: Sequence[Outcome], tolerance: float) -> str:
    """Return the outcomes as Markdown, one line per row with all metrics.

    Args:
        outcomes: Outcomes of rows.
        tolerance: Largest accepted difference, in the unit of tables.
    """
    return (f'Figures are measured, expected and (difference). Largest accepted difference: {tolerance:g}.\n\n'
            f'{markdown_table(_TITLES, map(_cells, outcomes))}\n\n{escape_markdown(summary(outcomes))}.\n')


def as_csv(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as CSV, one line per row and metric with all digits, without formulas of spreadsheets."""
    out = StringIO()
    write_rows(out, [_CSV_COLUMNS, *chain.from_iterable(map(_csv_rows, outcomes))])
    return out.getvalue()


def _cells(outcome: Outcome) -> list[str]:
    figures = '; '.join(figure.text for figure in outcome.figures)
    return [outcome.row.name, outcome.row.config, _images(outcome), figures, outcome.verdict, outcome.reason]


def _images(outcome: Outcome) -> str:
    return '' if outcome.record is None else str(outcome.record.data.images)


def _csv_rows(outcome: Outcome) -> Iterator[list[str | float | None]]:
    row, record = outcome.row, outcome.record
    data = (row.data, row.split) if record is None else (record.data.data, record.data.split)
    start = [row.name, row.config, row.address, None if record is None else record.checkpoint_sha256, *data,
             _images(outcome), row.test]
    end = [outcome.verdict, outcome.reason, row.note, outcome.number]
    for figure in outcome.figures:
        yield [*start, figure.metric, 'yes' if figure.is_deciding else 'no', figure.value, figure.expected,
               figure.difference, *end]
    if not outcome.figures:
        yield [*start, *[None] * 5, *end]

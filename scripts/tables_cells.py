"""Published results as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tables_sources import Row

from hrnet_plugin.checkpoints.published import HELD_OUT, TEST_NAMES

#: Metrics in the tables of the families, in this order.
METRICS = ('AP', 'mask AP', 'PCKh', 'PCKh@0.1', 'aAcc', 'mAcc', 'mIoU', 'NME', 'NME common', 'NME challenge',
           'NME full', 'NME frontal', 'NME test')


def markdown_table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table without a trailing line break."""
    return '\n'.join([_line(header), '|' + '---|' * len(header), *map(_line, lines)])


def heading_anchor(heading: str) -> str:
    """Return the anchor that a forge and the documentation site give to a heading."""
    return re.sub(r'[^\w -]', '', heading).lower().replace(' ', '-')


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(cells)} |'


def show_rows(rows: Iterable[Row]) -> str:
    """Return the cell with the published values of rows, or '-'. Held-out splits are last."""
    return '; '.join(_show(row) for row in sorted(rows, key=is_held_out)) or '-'


def _show(row: Row) -> str:
    separator = ' / ' if row.get('mask AP') else '; '
    figures = separator.join(row[metric] for metric in METRICS if row.get(metric))
    if not figures:
        raise ValueError(f'A row with a config must have a metric of {", ".join(METRICS)}, got {dict(row)}.')
    split = f'{row["split"].removesuffix("2017")} ' if is_held_out(row) else ''
    return f'{split}{figures}{show_test(row)}'


def show_test(row: Row) -> str:
    """Return the test-time augmentation of a row in parentheses, or ''."""
    return f' ({TEST_NAMES[row["test"]]})' if row.get('test') else ''


def is_held_out(row: Row) -> bool:
    """Return True for a row of a split without public annotations."""
    return (row['data'], row['split']) in HELD_OUT

"""Selection of rows by names and patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from hrnet_plugin.experiments.reproduction.published_rows import PublishedRow
from hrnet_plugin.experiments.reproduction.row import Row
from hrnet_plugin.suggest import did_you_mean


def select_rows(rows: Sequence[Row], patterns: Sequence[str]) -> list[Row]:
    """Return the rows with a name that matches a pattern, in the order of ``rows``.

    Args:
        rows: Rows to select from.
        patterns: Names or glob patterns of rows, configs or checkpoint files. Empty for all rows.

    Raises:
        ValueError: A pattern matches no row. The message suggests the closest names.
    """
    for pattern in patterns:
        if not any(_matches(row, pattern) for row in rows):
            names = [name for row in rows for name in row.names]
            raise ValueError(f'ROWS must be names or patterns of rows, configs or checkpoint files, got {pattern!r}.'
                             f'{did_you_mean(pattern, names)} All rows: hrnet reproduce --dry-run')
    return [row for row in rows if not patterns or any(_matches(row, pattern) for pattern in patterns)]


def select_published(rows: Sequence[PublishedRow], patterns: Sequence[str]) -> tuple[list[Row], list[PublishedRow]]:
    """Return the selected published rows that can be reproduced, and those that cannot.

    Args:
        rows: Published rows to select from.
        patterns: See :func:`select_rows`.

    Raises:
        ValueError: A pattern matches no row, or none of the selected rows can be reproduced.
    """
    names = {row.name for row in select_rows([published.row for published in rows], patterns)}
    chosen = [published for published in rows if published.row.name in names]
    possible = [published.row for published in chosen if not published.obstacle]
    if chosen and not possible:
        first = chosen[0]
        raise ValueError(f'ROWS must be rows that can be reproduced, got {first.row.name}: {first.obstacle}. '
                         'All rows: hrnet reproduce --dry-run')
    return possible, [published for published in chosen if published.obstacle]


def _matches(row: Row, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in row.names)

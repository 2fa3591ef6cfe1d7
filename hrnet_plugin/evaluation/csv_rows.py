"""CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from hrnet_plugin.escaping import escape_csv


def write_rows(out: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV. None is an empty cell.

    Texts that a spreadsheet would run as formulas begin with an apostrophe. Numbers are unchanged.

    Args:
        out: Text file, opened with ``newline=''``, or ``StringIO``.
        rows: Rows of texts and numbers.
    """
    csv.writer(out, lineterminator='\n').writerows(map(_cell, row) for row in rows)


def _cell(value: object) -> object:
    return escape_csv(value) if isinstance(value, str) else value

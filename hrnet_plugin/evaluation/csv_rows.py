"""CSV files that are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import TextIO

_FORMULA_STARTS = ('=', '+', '-', '@', '\t', '\r', '\n')


def write_rows(out: TextIO, rows: Iterable[Iterable[object]]) -> None:
    """Write rows as CSV. None is an empty cell.

    Texts that a spreadsheet would run as formulas begin with an apostrophe. Numbers are unchanged.

    Args:
        out: Text file, opened with ``newline=''``, or ``StringIO``.
        rows: Rows of texts and numbers.
    """
    csv.writer(out, lineterminator='\n').writerows(map(_escape_formula, row) for row in rows)


def _escape_formula(value: object) -> object:
    """Put an apostrophe before a text that begins like a formula, as OWASP recommends against CSV injection.

    Line breaks become spaces, because readers of CSV files may end the row at them.
    """
    if not isinstance(value, str):
        return value
    return ("'" if value.startswith(_FORMULA_STARTS) else '') + re.sub(r'[\r\n]', ' ', value)

"""Rows of the user, read from a CSV file."""

from __future__ import annotations

import csv
import math
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hrnet_plugin.checkpoints.published import TEST_NAMES
from hrnet_plugin.checks import check_choice
from hrnet_plugin.escaping import shorten
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.experiments.reproduction.row import Row

#: Columns that are not metrics. All others are.
COLUMNS = ('name', 'config', 'checkpoint', 'sha256', 'data', 'split', 'images', 'test', 'options')
_REQUIRED = ('config', 'checkpoint', 'images')
_NAME = re.compile(r'[\w+-][\w.+-]*')
_DIGEST = re.compile(r'[0-9a-f]{8,64}|')
_TESTS = ('', *TEST_NAMES, 'no flip')


def read_rows(file: Path) -> list[Row]:
    """Read rows from a CSV file with a header.

    The columns ``config``, ``checkpoint`` and ``images`` are required. ``name`` defaults to the name of the checkpoint
    without suffix. Relative paths start at the folder of the file, or else at the current one. Columns other than
    :data:`COLUMNS` are metrics with their expected values.

    Args:
        file: Path of the file.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A column or a value is missing or invalid, or two rows have the same name. The message has the line.
    """
    try:
        with file.open(newline='', encoding='utf-8-sig') as lines:
            reader = csv.DictReader(lines, strict=True)
            header = reader.fieldnames or ()
            _check_header(file, header)
            rows = [_located_row(file, reader.line_num, entries) for entries in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{file} must be a CSV file in UTF-8: {error}') from None
    names = [row.name for row in rows]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f'{file} must have rows with different names, got {short(double)} twice. Add the column name.')
    if not rows:
        raise ValueError(f'{file} must have rows, got none')
    return rows


def _check_header(file: Path, header: Sequence[str]) -> None:
    missing = [column for column in _REQUIRED if column not in header]
    if missing:
        raise ValueError(f'{file} must have the columns {", ".join(_REQUIRED)}, got none with the name {missing[0]!r}')
    double = next((column for column in header if header.count(column) > 1), None)
    if double is not None:
        raise ValueError(f'{file} must have columns with different names, got {short(double)} twice')
    if not set(header) - set(COLUMNS):
        raise ValueError(f'{file} must have a column with the name of a metric, such as AP or mIoU, got none')


def _located_row(file: Path, line: int, entries: Mapping[str | None, str | None]) -> Row:
    try:
        if None in entries or None in entries.values():
            raise ValueError('the row must have as many cells as the header')
        return _row(file.resolve().parent, {str(name): str(cell).strip() for name, cell in entries.items()})
    except OSError as error:  # of a path that is too long
        raise ValueError(f'{file}, line {line}: a path cannot be read: {error.strerror}') from None
    except ValueError as error:
        raise ValueError(f'{file}, line {line}: {error}') from None


def _row(folder: Path, cells: Mapping[str, str]) -> Row:
    for column in ('config', 'checkpoint'):
        if not cells[column]:
            raise ValueError(f'{column} must not be empty')
    address = cells['checkpoint']
    if address.startswith('file://'):
        address = unquote(urlsplit(address).path)
    file = address.rpartition('/')[2]
    expected = {name: _number(name, cell) for name, cell in cells.items() if name not in COLUMNS and cell}
    if not expected:
        raise ValueError('at least one metric must have a value, got none')
    config = folder / cells['config']
    name = cells.get('name') or file.rpartition('.')[0] or file
    if not _NAME.fullmatch(name):
        raise ValueError(f'name must consist of letters, digits and ._+-, got {short(name)}')
    sha256 = cells.get('sha256', '').lower()
    if not _DIGEST.fullmatch(sha256):
        raise ValueError(f'sha256 must be 8 to 64 hexadecimal digits, got {short(sha256)}')
    return Row(
        name=name, config=str(config) if config.is_file() else cells['config'],
        address=address if '://' in address else str(_absolute(folder, address)), file=file, expected=expected,
        sha256=sha256, data=cells.get('data', ''), split=cells.get('split', ''),
        images=_count(cells['images']), test=check_choice('test', cells.get('test', ''), _TESTS),
        options=_options(cells.get('options', '')))


def _absolute(folder: Path, path: str) -> Path:
    beside = folder / Path(path).expanduser()
    return beside if beside.is_file() else Path(path).expanduser().absolute()


def _number(name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f'{shorten(name)} must be a number, got {short(cell)}')
    return value


def _count(cell: str) -> int:
    if not cell.isdecimal() or int(cell) < 1:
        raise ValueError(f'images must be the number of tested images, at least 1, got {short(cell)}')
    return int(cell)


def _options(cell: str) -> tuple[str, ...]:
    options = tuple(shlex.split(cell))
    wrong = next((option for option in options if not re.fullmatch(r'[\w.]+=.*', option)), None)
    if wrong is not None:
        raise ValueError(f'options must be KEY=VALUE, separated by spaces, got {short(wrong)}')
    return options

"""Records in the rows of a store, which may come from anyone.

A row that is not valid is left out with a warning that names it. Lengths and numbers of rows are bounded, so that a
store cannot use up the memory.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from hrnet_plugin.evaluation.detections import is_count, short
from hrnet_plugin.evaluation.leaderboard.facts import DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store_schema import COLUMNS
from hrnet_plugin.evaluation.leaderboard.stored_facts import MAX_TEXT, is_stored_number, read_facts
from hrnet_plugin.hosts import HOSTS

MAX_RECORDS = 100_000
MAX_VALUES = 5_000_000  # metrics of all records, also those of classes
_MAX_CONFIG = 4 * 2**20  # characters
_MAX_FACTS = 4 * 2**20
_MAX_WARNINGS = 10
_TASKS = tuple(host.task for host in HOSTS.values())


def read_records(database: sqlite3.Connection, path: Path, *, with_classes: bool, with_configs: bool) -> list[Record]:
    """Read all valid records from oldest to newest, and log a warning for each other one.

    Args:
        database: Connection to a checked store.
        path: Path of the store, for messages.
        with_classes: Whether to read the metrics of classes.
        with_configs: Whether to read the texts of configs.

    Raises:
        ValueError: If the store has more than :data:`MAX_RECORDS` records or :data:`MAX_VALUES` metrics.
    """
    for table, most in (('records', MAX_RECORDS), ('metrics', MAX_VALUES)):
        if database.execute(f'SELECT 1 FROM {table} LIMIT 1 OFFSET {most}').fetchone():
            raise ValueError(f'store must have at most {most} {table}, got more in {str(path)!r}')
    problems: list[str] = []
    scores = _read_scores(database, with_classes, problems)
    limits = {**dict.fromkeys(COLUMNS, MAX_TEXT), 'config_text': _MAX_CONFIG, 'facts': _MAX_FACTS}
    columns = ', '.join("''" if name == 'config_text' and not with_configs else _bounded(name, most)
                        for name, most in limits.items())
    records = []
    for number, *row in database.execute(f'SELECT number, {columns} FROM records ORDER BY number'):
        try:
            records.append(_record(number, dict(zip(limits, row)), limits, scores.get(number, Scores(metrics={}))))
        except ValueError as error:
            problems.append(f'record {short(number)}: {error}')
    warn_of_rows(problems, path)
    return records


def _bounded(column: str, most: int) -> str:
    """Return the SQL expression of a column with at most one character or byte more than is valid."""
    return f'CASE WHEN length({column}) > {most} THEN substr({column}, 1, {most + 1}) ELSE {column} END'


def _read_scores(database: sqlite3.Connection, with_classes: bool, problems: list[str]) -> dict[int, Scores]:
    """Return record number -> metrics that are valid. Add the others to the problems."""
    metrics: dict[int, dict[str, float | None]] = defaultdict(dict)
    classes: dict[int, dict[str, dict[str, float | None]]] = defaultdict(lambda: defaultdict(dict))
    texts: set[str] = set()  # valid ones, which most rows repeat
    # SQLite computes the length of a real number from its text, which takes longer than all the rest
    columns = (f"record, {_bounded('class', MAX_TEXT)}, {_bounded('name', MAX_TEXT)}, "
               f"CASE typeof(value) WHEN 'real' THEN value ELSE {_bounded('value', MAX_TEXT)} END")
    chosen = '' if with_classes else "WHERE class = ''"
    for number, cls, name, value in database.execute(f'SELECT {columns} FROM metrics {chosen}'):
        try:
            if value is not None and not is_stored_number(value):
                raise ValueError(f'metrics must be finite numbers, got {short(value)} for {short(name)}')
            if cls not in texts or name not in texts:
                _check_text('class', cls, MAX_TEXT)
                _check_text('name of a metric', name, MAX_TEXT)
                texts.update((cls, name))
            if cls:
                classes[number][name][cls] = value
            else:
                metrics[number][name] = value
        except ValueError as error:
            problems.append(f'a metric of record {short(number)}: {error}')
    return {number: Scores(metrics=metrics[number], classes=dict(classes[number]))
            for number in dict.fromkeys((*metrics, *classes))}


def _record(number: Any, row: dict[str, Any], limits: Mapping[str, int], scores: Scores) -> Record:
    """Return the record of a row.

    Raises:
        ValueError: If a value has another type than the store writes, or is too long.
    """
    images, whole = row.pop('images'), row.pop('whole')
    if type(number) is not int:
        raise ValueError(f'number must be an integer, got {short(number)}')
    if not is_count(images) or whole not in (0, 1):
        raise ValueError(f'images must be a count and whole must be 0 or 1, got {short(images)} and {short(whole)}')
    for name, value in row.items():
        _check_text(name, value, limits[name])
    if row['task'] not in _TASKS:
        raise ValueError(f'task must be one of {", ".join(_TASKS)}, got {short(row["task"])}')
    model, cost, conditions = read_facts(row.pop('facts'))
    data = DataFacts(data=row.pop('data'), split=row.pop('split'), images=images, whole=bool(whole))
    return Record(number=number, data=data, scores=scores, model=model, cost=cost, conditions=conditions, **row)


def _check_text(name: str, value: Any, most: int) -> None:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f'{name} must be text of at most {most} characters, got {short(value)}')


def warn_of_rows(problems: Sequence[str], path: Path) -> None:
    """Log a warning for each of the first rows that are left out, and the number of the others.

    Args:
        problems: Row and cause of each.
        path: Path of the store.
    """
    for problem in problems[:_MAX_WARNINGS]:
        print_log(f'The store {str(path)!r} has a row that is left out: {problem}', logger='current',
                  level=logging.WARNING)
    if len(problems) > _MAX_WARNINGS:
        print_log(f'The store {str(path)!r} has {len(problems) - _MAX_WARNINGS} more rows that are left out',
                  logger='current', level=logging.WARNING)

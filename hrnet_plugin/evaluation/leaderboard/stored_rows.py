"""Records in the rows of a store, which may come from anyone.

A row that is not valid is left out with a warning that names it. Lengths and numbers of rows are bounded, so that a
store cannot use up the memory.
"""

from __future__ import annotations

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log

from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.evaluation.leaderboard.facts import DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.row_checks import LIMITS, check_metric_names, check_metric_value, check_row
from hrnet_plugin.evaluation.leaderboard.stored_facts import MAX_TEXT

MAX_RECORDS = 100_000
MAX_VALUES = 5_000_000  # metrics of all records, also those of classes
_MAX_WARNINGS = 10
_FIX = {'records': 'Record further tests in another file, and give all files to hrnet leaderboard --store.',
        'metrics': 'Record further tests in another file. Without --out, hrnet leaderboard reads no metrics of classes.'
        }


def read_records(database: sqlite3.Connection, path: Path, *, with_classes: bool, with_configs: bool) -> list[Record]:
    """Read all valid records from oldest to newest, and log a warning for each other one.

    Args:
        database: Connection to a checked store.
        path: Path of the store, for messages.
        with_classes: Whether to read the metrics of classes.
        with_configs: Whether to read the texts of configs.

    Raises:
        ValueError: If the store has more than :data:`MAX_RECORDS` records, or more than :data:`MAX_VALUES` metrics are
            to be read.
    """
    chosen = '' if with_classes else "WHERE class = ''"
    for rows, most, table in (('records', MAX_RECORDS, 'records'), (f'metrics {chosen}', MAX_VALUES, 'metrics')):
        if database.execute(f'SELECT 1 FROM {rows} LIMIT 1 OFFSET {most}').fetchone():
            raise ValueError(f'store must have at most {most} {table}, got more in {str(path)!r}. {_FIX[table]}')
    problems: list[str] = []
    scores = _read_scores(database, chosen, problems)
    columns = ', '.join("''" if name == 'config_text' and not with_configs else _bounded(name, most)
                        for name, most in LIMITS.items())
    records = []
    for number, *row in database.execute(f'SELECT number, {columns} FROM records ORDER BY number'):
        try:
            records.append(_record(number, dict(zip(LIMITS, row)), scores.get(number, Scores(metrics={}))))
        except ValueError as error:
            problems.append(f'record {short(number)}: {error}')
    warn_of_rows(problems, path)
    return records


def _bounded(column: str, most: int) -> str:
    """Return the SQL expression of a column with at most one character or byte more than is valid."""
    return f'CASE WHEN length({column}) > {most} THEN substr({column}, 1, {most + 1}) ELSE {column} END'


def _read_scores(database: sqlite3.Connection, chosen: str, problems: list[str]) -> dict[int, Scores]:
    """Return record number -> metrics that are valid. Add the others to the problems.

    Args:
        database: Connection to a checked store.
        chosen: SQL clause that selects the metrics, or empty for all.
        problems: List of row and cause of each metric that is left out.
    """
    metrics: dict[int, dict[str, float | None]] = defaultdict(dict)
    classes: dict[int, dict[str, dict[str, float | None]]] = defaultdict(lambda: defaultdict(dict))
    texts: set[str] = set()  # valid ones, which most rows repeat
    # SQLite computes the length of a real number from its text, which takes longer than all the rest
    columns = (f"record, {_bounded('class', MAX_TEXT)}, {_bounded('name', MAX_TEXT)}, "
               f"CASE typeof(value) WHEN 'real' THEN value ELSE {_bounded('value', MAX_TEXT)} END")
    for number, cls, name, value in database.execute(f'SELECT {columns} FROM metrics {chosen}'):
        try:
            check_metric_value(name, value)
            if cls not in texts or name not in texts:
                check_metric_names(cls, name)
                texts.update((cls, name))
            if cls:
                classes[number][name][cls] = value
            else:
                metrics[number][name] = value
        except ValueError as error:
            problems.append(f'a metric of record {short(number)}: {error}')
    return {number: Scores(metrics=metrics[number], classes=dict(classes[number]))
            for number in dict.fromkeys((*metrics, *classes))}


def _record(number: Any, row: dict[str, Any], scores: Scores) -> Record:
    """Return the record of a row.

    Raises:
        ValueError: If a value has another type than the store writes, or is too long.
    """
    if type(number) is not int:
        raise ValueError(f'number must be an integer, got {short(number)}')
    model, cost, conditions = check_row(row)
    texts = {name: value for name, value in row.items() if name not in ('images', 'whole', 'data', 'split', 'facts')}
    data = DataFacts(data=row['data'], split=row['split'], images=row['images'], whole=bool(row['whole']))
    return Record(number=number, data=data, scores=scores, model=model, cost=cost, conditions=conditions, **texts)


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

"""Append-only store of evaluations, to which several processes may write.

It is an SQLite database with a rollback journal. The next process that opens the file rolls back the incomplete
transaction of a killed one. Writers wait for each other. SQLite's write-ahead log is not used, since it requires shared
memory, which network file systems lack. Triggers prevent changes and deletions of records.

Any SQLite client can read it, for example::

    sqlite3 work_dirs/leaderboard.sqlite "SELECT config, value FROM records JOIN metrics ON record = number
                                          WHERE name = 'AP' ORDER BY value DESC"
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hrnet_plugin.evaluation.detections import is_finite_number
from hrnet_plugin.evaluation.leaderboard.facts import DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.stored_facts import read_facts, write_facts

WAIT = 120  # seconds to wait for other writers
_VERSION = 1
_APPLICATION = 0x48524C42  # 'HRLB', identifies the store in the file header
_COLUMNS = ('time', 'task', 'config', 'config_text', 'config_sha256', 'checkpoint', 'checkpoint_sha256', 'data',
            'split', 'images', 'whole')
_TABLES = f'''
CREATE TABLE records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    {", ".join(f"{name} {'INTEGER' if name in ('images', 'whole') else 'TEXT'} NOT NULL" for name in _COLUMNS)},
    facts TEXT NOT NULL
);
CREATE TABLE metrics (
    record INTEGER NOT NULL REFERENCES records (number),
    class TEXT NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (record, class, name)
) WITHOUT ROWID;
''' + ''.join(f'''
CREATE TRIGGER {table}_{event} BEFORE {event} ON {table} {when} BEGIN
    SELECT RAISE(ABORT, 'the store is append-only');
END;
''' for table, again in (
    ('records', 'EXISTS (SELECT 1 FROM records WHERE number = NEW.number)'),
    # INSERT OR REPLACE deletes without a DELETE trigger; only the newest record accepts metrics
    ('metrics', 'NEW.record <> (SELECT max(number) FROM records) OR EXISTS (SELECT 1 FROM metrics WHERE '
                'record = NEW.record AND class = NEW.class AND name = NEW.name)'),
) for event, when in (('UPDATE', ''), ('DELETE', ''), ('INSERT', f'WHEN {again}')))


class ResultStore:
    """Append-only file of evaluation records.

    Args:
        path: Path of the SQLite file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def prepare(self) -> None:
        """Create the file if it does not exist, and check that it is a writable store.

        Raises:
            OSError, sqlite3.Error: If it cannot be written or is not a store.
        """
        with self._writing():
            pass

    def append(self, record: Record) -> int:
        """Append a record in one transaction and return its number.

        Args:
            record: Record without a number.

        Raises:
            ValueError: If the record has a number, a non-finite value, or a fact without a JSON type.
            sqlite3.OperationalError: If other writers lock the file for more than :data:`WAIT` seconds, or it cannot be
                written.
            sqlite3.DatabaseError: If the file is not a store.
        """
        if record.number is not None:
            raise ValueError(f'record must not be in a store already, got number {record.number}')
        values = dict(_metric_rows(record))
        facts = write_facts(record)
        stamped = replace(record, time=record.time or datetime.now(timezone.utc).isoformat(timespec='seconds'))
        values_of = {**vars(stamped), **vars(stamped.data)}
        row = [values_of[name] for name in _COLUMNS]
        with self._writing() as database:
            marks = ', '.join('?' * (len(_COLUMNS) + 1))
            database.execute(f'INSERT INTO records ({", ".join(_COLUMNS)}, facts) VALUES ({marks})', [*row, facts])
            number: int = database.execute('SELECT last_insert_rowid()').fetchone()[0]
            database.executemany('INSERT INTO metrics (record, class, name, value) VALUES (?, ?, ?, ?)',
                                 [(number, *key, value) for key, value in values.items()])
        return number

    def read(self, *, with_classes: bool = True, with_configs: bool = True) -> list[Record]:
        """Read all records from oldest to newest.

        Args:
            with_classes: Whether to read the metrics of classes, most rows of the store.
            with_configs: Whether to read the texts of configs, most bytes of the store.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If a value is not a finite number.
            sqlite3.DatabaseError: If the file is not a store.
        """
        if not self.path.is_file():
            raise FileNotFoundError(f'store must be an existing file, got {str(self.path)!r}. Create it with '
                                    'mim test hrnet_plugin ... --record')
        with self._opened(create=False) as database, _transaction(database, 'DEFERRED'):
            if _is_empty(database):  # the first writer has not committed
                return []
            _check(database, self.path)
            metrics: dict[int, dict[str, dict[str, float | None]]] = {}
            chosen = '' if with_classes else "WHERE class = ''"
            rows = database.execute(f'SELECT record, class, name, value FROM metrics {chosen}')
            for number, cls, name, value in rows:
                if value is not None and not is_finite_number(value):
                    raise ValueError(f'metrics must be finite numbers, got {value!r} for {name!r} in record {number} '
                                     f'of {str(self.path)!r}')
                metrics.setdefault(number, {}).setdefault(cls, {})[name] = value
            columns = ', '.join(_COLUMNS if with_configs else ("''" if name == 'config_text' else name
                                                              for name in _COLUMNS))
            found = database.execute(f'SELECT number, {columns}, facts FROM records ORDER BY number')
            return [_record(row, metrics.get(row[0], {})) for row in found]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened(create=True) as database, _transaction(database):
            _prepare(database, self.path)
            yield database

    @contextmanager
    def _opened(self, create: bool) -> Iterator[sqlite3.Connection]:
        # writable even for reading, since the transaction of a killed writer must be rolled back first
        address = f'{self.path.resolve().as_uri()}?mode={"rwc" if create else "rw"}'
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=WAIT, isolation_level=None)) as database:
                database.execute('PRAGMA foreign_keys = ON')
                yield database
        except sqlite3.OperationalError as error:  # also a full disk or a read-only file
            raise sqlite3.OperationalError(f'store must be a file that can be written, got {str(self.path)!r}: '
                                           f'{error}') from None


@contextmanager
def _transaction(database: sqlite3.Connection, kind: str = 'IMMEDIATE') -> Iterator[None]:
    database.execute(f'BEGIN {kind}')
    try:
        yield
    except BaseException:
        if database.in_transaction:  # SQLite has ended it already, e.g. on a full disk
            database.execute('ROLLBACK')
        raise
    database.execute('COMMIT')


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    """Create the tables of an empty file, or check any other file."""
    if not _is_empty(database):
        _check(database, path)
        return
    for statement in _statements(_TABLES):
        database.execute(statement)
    database.execute(f'PRAGMA application_id = {_APPLICATION}')
    database.execute(f'PRAGMA user_version = {_VERSION}')


def _is_empty(database: sqlite3.Connection) -> bool:
    return database.execute('SELECT count(*) FROM sqlite_master').fetchone()[0] == 0


def _check(database: sqlite3.Connection, path: Path) -> None:
    application, version = (database.execute(f'PRAGMA {name}').fetchone()[0]
                            for name in ('application_id', 'user_version'))
    if application != _APPLICATION:
        raise sqlite3.DatabaseError(f'store must be a file that hrnet_plugin has written, got {str(path)!r} of another '
                                    'program')
    if version != _VERSION:
        raise sqlite3.DatabaseError(f'store must have version {_VERSION}, got {version} in {str(path)!r}, '
                                    'which another version of hrnet_plugin has written')


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the open transaction
    statement = ''
    for piece in script.split(';'):
        statement += piece + ';'
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ''


def _metric_rows(record: Record) -> Iterator[tuple[tuple[str, str], float | None]]:
    groups: list[tuple[str, str, float | None]] = [('', name, value) for name, value in record.scores.metrics.items()]
    groups += [(cls, name, value) for name, values in record.scores.classes.items() for cls, value in values.items()]
    for cls, name, value in groups:
        if value is not None and not math.isfinite(value):
            raise ValueError(f'metrics must be finite numbers or None, got {value} for {name!r}')
        yield (cls, name), value


def _record(row: tuple[Any, ...], metrics: Mapping[str, Mapping[str, float | None]]) -> Record:
    number, *values, facts = row
    columns = dict(zip(_COLUMNS, values))
    data = DataFacts(data=columns.pop('data'), split=columns.pop('split'), images=columns.pop('images'),
                     whole=bool(columns.pop('whole')))
    classes: dict[str, dict[str, float | None]] = {}
    for cls, named in metrics.items():
        for name, value in named.items():
            if cls:
                classes.setdefault(name, {})[cls] = value
    try:
        model, cost, conditions = read_facts(facts)
    except ValueError as error:
        raise ValueError(f'store must have valid records, got number {number}: {error}') from None
    scores = Scores(metrics=dict(metrics.get('', {})), classes=classes)
    return Record(number=number, data=data, scores=scores, model=model, cost=cost, conditions=conditions, **columns)

"""Append-only store of evaluations, to which several processes may write.

It is an SQLite database with a rollback journal. The next process that opens the file rolls back the incomplete
transaction of a killed one. Writers wait for each other. SQLite's write-ahead log is not used, since it requires shared
memory, which network file systems lack. Triggers prevent changes and deletions of records.

Any SQLite client can read it, for example::

    sqlite3 work_dirs/leaderboard.sqlite "SELECT config, value FROM records JOIN metrics ON record = number
                                          WHERE name = 'AP' ORDER BY value DESC"
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from mmengine.logging import print_log

from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.row_checks import MAX_CONFIG, check_metric_names, check_metric_value, check_row
from hrnet_plugin.evaluation.leaderboard.store_connection import reading, writing
from hrnet_plugin.evaluation.leaderboard.store_schema import COLUMNS, check, is_empty, prepare
from hrnet_plugin.evaluation.leaderboard.stored_facts import MAX_TEXT, write_facts
from hrnet_plugin.evaluation.leaderboard.stored_rows import read_records


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

        A note that is too long is shortened, and a config text that is too long is left out, both with a warning.

        Args:
            record: Record without a number.

        Raises:
            ValueError: If the record has a number, a value that :meth:`read` would leave out, or a fact without a JSON
                type.
            sqlite3.OperationalError: If other writers lock the file for more than :data:`WAIT` seconds, or it cannot be
                written.
            sqlite3.DatabaseError: If the file is not a store.
        """
        if record.number is not None:
            raise ValueError(f'record must not be in a store already, got number {record.number}')
        record = _shorten(record)
        values = dict(_metric_rows(record))
        stamped = replace(record, time=record.time or datetime.now(timezone.utc).isoformat(timespec='seconds'))
        values_of = {**vars(stamped), **vars(stamped.data), 'facts': write_facts(record)}
        row = {name: values_of[name] for name in (*COLUMNS, 'facts')}
        check_row(row)
        with self._writing() as database:
            marks = ', '.join('?' * len(row))
            database.execute(f'INSERT INTO records ({", ".join(row)}) VALUES ({marks})', [*row.values()])
            number: int = database.execute('SELECT last_insert_rowid()').fetchone()[0]
            database.executemany('INSERT INTO metrics (record, class, name, value) VALUES (?, ?, ?, ?)',
                                 [(number, *key, value) for key, value in values.items()])
        return number

    def read(self, *, with_classes: bool = True, with_configs: bool = True) -> list[Record]:
        """Read all records from oldest to newest. Log a warning for each one that is not valid, and leave it out.

        Args:
            with_classes: Whether to read the metrics of classes, most rows of the store.
            with_configs: Whether to read the texts of configs, most bytes of the store.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If the store has too many records or metrics.
            sqlite3.DatabaseError: If the file is not a store, or is locked.
        """
        if not self.path.is_file():
            raise FileNotFoundError(f'store must be an existing file, got {str(self.path)!r}. Create it with '
                                    'mim test hrnet_plugin ... --record')
        with reading(self.path) as database:
            if is_empty(database):  # the first writer has not committed
                return []
            check(database, self.path)
            return read_records(database, self.path, with_classes=with_classes, with_configs=with_configs)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.path) as database:
            prepare(database, self.path)
            yield database


def _metric_rows(record: Record) -> Iterator[tuple[tuple[str, str], float | None]]:
    groups: list[tuple[str, str, float | None]] = [('', name, value) for name, value in record.scores.metrics.items()]
    groups += [(cls, name, value) for name, values in record.scores.classes.items() for cls, value in values.items()]
    for cls, name, value in groups:
        check_metric_names(cls, name)
        check_metric_value(name, value)
        yield (cls, name), value


def _shorten(record: Record) -> Record:
    """Return the record without the parts of its note and config that a store cannot have. Log a warning for each."""
    note, text = record.model.note, record.config_text
    if len(note) > MAX_TEXT:
        record = replace(record, model=replace(record.model, note=f'{note[:MAX_TEXT - 3]}...'))
        _warn(f'note must have at most {MAX_TEXT} characters, got {len(note)}. The rest is not recorded.')
    if len(text) > MAX_CONFIG:
        record = replace(record, config_text='')
        _warn(f'config_text must have at most {MAX_CONFIG} characters, got {len(text)}. It is not recorded. Its '
              'SHA-256 is.')
    return record


def _warn(message: str) -> None:
    print_log(message, logger='current', level=logging.WARNING)

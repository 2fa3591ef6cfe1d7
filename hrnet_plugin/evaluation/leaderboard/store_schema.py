"""Tables of the result store, and the check of files that another program has written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

_VERSION = 1
_APPLICATION = 0x48524C42  # 'HRLB', identifies the store in the file header
#: Columns of the table of records besides the number and the facts.
COLUMNS = ('time', 'task', 'config', 'config_text', 'config_sha256', 'checkpoint', 'checkpoint_sha256', 'data',
            'split', 'images', 'whole')
_TABLES = f'''
CREATE TABLE records (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    {", ".join(f"{name} {'INTEGER' if name in ('images', 'whole') else 'TEXT'} NOT NULL" for name in COLUMNS)},
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


_READ_COLUMNS = {'records': ('number', *COLUMNS, 'facts'), 'metrics': ('record', 'class', 'name', 'value')}


def prepare(database: sqlite3.Connection, path: Path) -> None:
    """Create the tables of an empty file, or check any other file.

    Raises:
        sqlite3.DatabaseError: If the file is not a store.
    """
    if not is_empty(database):
        check(database, path)
        return
    for statement in _statements(_TABLES):
        database.execute(statement)
    database.execute(f'PRAGMA application_id = {_APPLICATION}')
    database.execute(f'PRAGMA user_version = {_VERSION}')


def is_empty(database: sqlite3.Connection) -> bool:
    """Return True if the file has no tables."""
    return bool(database.execute('SELECT count(*) FROM sqlite_master').fetchone()[0] == 0)


def check(database: sqlite3.Connection, path: Path) -> None:
    """Check that the file is a store whose tables have all columns. Other tables and columns are ignored.

    Raises:
        sqlite3.DatabaseError: If the file is not a store.
    """
    application, version = (database.execute(f'PRAGMA {name}').fetchone()[0]
                            for name in ('application_id', 'user_version'))
    if application != _APPLICATION:
        raise sqlite3.DatabaseError(f'store must be a file that hrnet_plugin has written, got {str(path)!r} of another '
                                    'program')
    if version != _VERSION:
        raise sqlite3.DatabaseError(f'store must have version {_VERSION}, got {version} in {str(path)!r}, '
                                    'which another version of hrnet_plugin has written')
    for table, columns in _READ_COLUMNS.items():
        missing = [name for name in columns if name not in _stored_columns(database, table)]
        if missing:
            raise sqlite3.DatabaseError(f'store must have a table {table!r} with the columns {", ".join(columns)}, got '
                                        f'none with {", ".join(missing)} in {str(path)!r}')


def _stored_columns(database: sqlite3.Connection, table: str) -> set[str]:
    """Return the columns with stored values. Views, virtual tables and generated columns would run foreign code."""
    pages = database.execute("SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?", [table]).fetchall()
    if not any(page for page, in pages):
        return set()
    return {row[1] for row in database.execute(f'PRAGMA table_info({table})')}


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the open transaction
    statement = ''
    for piece in script.split(';'):
        statement += piece + ';'
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ''

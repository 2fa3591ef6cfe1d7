"""Connections to result stores, which may come from anyone.

A foreign file gets no rights: views and triggers in it cannot call functions with side effects, and readers open it
read-only. A rollback journal beside it is applied only if it belongs to this file alone. SQLite deletes any other file
that the journal names as the journal of a transaction over several databases.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

WAIT = 120  # seconds to wait for other writers
READ_WAIT = 20  # seconds to wait for a writer's commit

_JOURNAL_MAGIC = bytes.fromhex('d9d505f920a163d7')  # at the end of a journal, it follows the name of another file
_HEADER_BYTES, _WRITE_VERSION, _WAL = 20, 18, 2  # of SQLite's file format
_ALL = 'PRAGMA trusted_schema = OFF', 'PRAGMA cell_size_check = ON'


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file for writing in one transaction, and create it if it does not exist.

    Raises:
        sqlite3.OperationalError: If other writers lock the file for more than :data:`WAIT` seconds, or it cannot be
            written.
        sqlite3.DatabaseError: If the file has another journal than stores have.
    """
    with _opened(path, 'rwc', WAIT) as database, transaction(database):
        yield database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing file for reading in one transaction.

    The file is written only to roll back the incomplete transaction of a killed writer.

    Raises:
        sqlite3.DatabaseError: If the file cannot be read, is locked for more than :data:`READ_WAIT` seconds, or has
            another journal than stores have.
    """
    mode = 'rw' if _has_incomplete_transaction(path) else 'ro'
    try:
        with _opened(path, mode, READ_WAIT) as database:
            database.execute('PRAGMA query_only = ON')
            database.text_factory = _decode
            with transaction(database, 'DEFERRED'):
                yield database
    except sqlite3.Error as error:
        # the messages of SQLite do not name the file
        words = str(error) if str(path) in str(error) else f'store must be readable, got {str(path)!r}: {error}'
        raise sqlite3.DatabaseError(words) from None


@contextmanager
def transaction(database: sqlite3.Connection, kind: str = 'IMMEDIATE') -> Iterator[None]:
    """Begin a transaction, and commit it at the end of the context, or roll it back after an error.

    Args:
        database: Connection without an open transaction.
        kind: Kind of the transaction in SQL.
    """
    database.execute(f'BEGIN {kind}')
    try:
        yield
    except BaseException:
        if database.in_transaction:  # SQLite has ended it already, e.g. on a full disk
            database.execute('ROLLBACK')
        raise
    database.execute('COMMIT')


@contextmanager
def _opened(path: Path, mode: str, wait: float) -> Iterator[sqlite3.Connection]:
    _check_journal(path)
    address = f'{path.resolve().as_uri()}?mode={mode}'
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)) as database:
            for statement in (*_ALL, 'PRAGMA foreign_keys = ON'):
                database.execute(statement)
            yield database
    except sqlite3.OperationalError as error:  # also a full disk, a lock or a read-only file
        raise sqlite3.OperationalError(f'store must be a file that can be {"read" if mode == "ro" else "written"}, got '
                                       f'{str(path)!r}: {error}') from None


def _has_incomplete_transaction(path: Path) -> bool:
    """Return True if a reader must roll back the transaction of a killed writer, which read-only connections cannot."""
    if not _beside(path, 'journal').is_file():
        return False
    with _opened(path, 'ro', READ_WAIT) as database:
        try:
            database.execute('SELECT count(*) FROM sqlite_master').fetchone()
        except sqlite3.OperationalError as error:
            return 'readonly' in str(error)
    return False


def _check_journal(path: Path) -> None:
    """Raise an error if SQLite would use other files than the store and its own rollback journal."""
    journal, log = _beside(path, 'journal'), _beside(path, 'wal')
    if os.path.lexists(log) or _bytes(path, 0, _HEADER_BYTES)[_WRITE_VERSION:] == bytes([_WAL, _WAL]):
        raise sqlite3.DatabaseError(f'store must have a rollback journal, got a write-ahead log in {str(path)!r}. '
                                    'Change it with `sqlite3 FILE "PRAGMA journal_mode = DELETE"`.')
    if _is_irregular(journal):  # SQLite would wait for the writer of a pipe
        raise sqlite3.DatabaseError(f'journal of the store must be a regular file, got {str(journal)!r}. Remove it.')
    if _bytes(journal, -len(_JOURNAL_MAGIC), len(_JOURNAL_MAGIC)) == _JOURNAL_MAGIC:
        raise sqlite3.DatabaseError(f'store must have a journal of its own, got {str(journal)!r}, which names '
                                    'another file. Remove it, or get the store from its source again.')


def _beside(path: Path, kind: str) -> Path:
    """Return the path of a file of SQLite beside the store: 'journal' or 'wal'."""
    path = path.resolve()  # as SQLite does
    return path.with_name(f'{path.name}-{kind}')


def _is_irregular(path: Path) -> bool:
    """Return True for a symbolic link, a pipe or a folder."""
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:  # e.g. the journal of a process that has just committed
        return False


def _bytes(path: Path, start: int, number: int) -> bytes:
    """Return bytes of a regular file from an offset, which counts from the end if it is negative, or none."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return b''
        with path.open('rb') as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size + start) if start < 0 else start)
            return file.read(number)
    except FileNotFoundError:  # another process has just committed, and removed its journal
        return b''


def _decode(text: bytes) -> str:
    return text.decode('utf-8', 'replace')

"""Tests of stores that may come from anyone: other files, other schemas, and rows of any values."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaderboard_rows import collect_warnings
from test_store import make

from hrnet_plugin.cli import leaderboard
from hrnet_plugin.cli.main import run
from hrnet_plugin.evaluation.leaderboard import store_connection, stored_rows
from hrnet_plugin.evaluation.leaderboard.facts import Cost
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries
from hrnet_plugin.evaluation.leaderboard.ranking import rank
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.leaderboard.tables import as_csv, markdown

UNIT = 'MACs / 1e9; weights / 1e6'
TABLES = {'records': ('time', 'task', 'config', 'config_text', 'config_sha256', 'checkpoint', 'checkpoint_sha256',
                      'data', 'split', 'images', 'whole', 'facts'), 'metrics': ('record', 'class', 'name', 'value')}
GOOD = ('2020', 'detection', 'c', '', '', '', '', 'COCO', 'val2017', 3, 0, '{}')


@pytest.fixture
def warnings(monkeypatch):
    return collect_warnings(monkeypatch, stored_rows)


def foreign(path, rows=(), metrics=(), script='', encoding='UTF-8'):
    """Write a store without checks of values. The script runs before the rows are inserted."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"PRAGMA encoding = '{encoding}'")
        for name, columns in TABLES.items():
            first = 'number INTEGER PRIMARY KEY, ' if name == 'records' else ''
            database.execute(f'CREATE TABLE {name} ({first}{", ".join(columns)})')
        database.execute(f'PRAGMA application_id = {0x48524C42}')
        database.execute('PRAGMA user_version = 1')
        database.executescript(script)
        names = ', '.join(TABLES['records'])
        database.executemany(f'INSERT INTO records ({names}) VALUES ({", ".join("?" * 12)})', rows)
        database.executemany('INSERT INTO metrics VALUES (?, ?, ?, ?)', metrics)
    return path


def changed(**values):
    return tuple(dict(zip(TABLES['records'], GOOD), **values).values())


@pytest.mark.parametrize(('changes', 'words'), [
    (dict(task='cooking'), 'task must be one of'), (dict(task=None), 'task must be text'),
    (dict(config=b'\xff'), 'config must be text'), (dict(config='x' * 5000), 'config must be text of at most 4096'),
    (dict(images='many'), 'images must be a count'), (dict(images=1e300), 'images must be a count'),
    (dict(images=-1), 'images must be a count'),
    (dict(whole=7), 'images must be a count and whole must be 0 or 1, got 3 and 7'),
    (dict(facts='[]'), 'facts must be a JSON object'), (dict(facts=None), 'facts must be text'),
    (dict(facts='{"note": "%s"}' % ('x' * 5000)), "fact 'note' must have at most 4096"),
    (dict(facts='{"ms": 1e300}'), "fact 'ms' must be a finite number"),
    (dict(facts='{"ms": NaN}'), ''), (dict(facts='x' * 10**7), 'facts must be text of at most'),
    (dict(facts='{"params": 1, "unit": "bananas"}'), 'unit must name the unit of weights'),
    (dict(facts='{"gflops": 1, "unit": "MACs / 2^5"}'), 'unit must name the unit of MACs')], ids=str)
def test_an_invalid_row_costs_this_row(tmp_path, warnings, monkeypatch, changes, words):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD, changed(**changes), GOOD],
                   [(number, '', 'AP', .5) for number in (1, 2, 3)])
    found = local_entries([path])
    assert [entry.number for entry in found] == [1, 3]
    line, = warnings
    assert f"foreign.sqlite' has a row that is left out: record 2: {words}" in line
    assert len(line) < 400
    assert as_csv(rank(found)).count('\n') == 3


def test_many_invalid_rows_have_few_warnings(tmp_path, warnings):
    path = foreign(tmp_path / 'foreign.sqlite', [changed(task=f'cooking {number}') for number in range(500)])
    assert local_entries([path]) == []
    assert len(warnings) == 11
    assert warnings[-1].endswith('has 490 more rows that are left out')


@pytest.mark.parametrize('encoding', ['UTF-16le', 'UTF-16be'])
def test_other_encodings(tmp_path, encoding):
    path = foreign(tmp_path / 'foreign.sqlite', [changed(config='日本')], encoding=encoding)
    assert [record.config for record in ResultStore(path).read()] == ['日本']


def test_invalid_characters_are_replaced(tmp_path):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD], script=(
        "INSERT INTO records VALUES (7, '2020', 'detection', CAST(x'61ff' AS TEXT), "
        "'', '', '', '', 'a', 'b', 1, 0, '{}');"))
    assert [record.config for record in ResultStore(path).read()] == ['a\ufffd', 'c']


@pytest.mark.parametrize(('script', 'words'), [
    ('DROP TABLE metrics', "store must have a table 'metrics'"),
    ('DROP TABLE records', "store must have a table 'records'"),
    ('ALTER TABLE records RENAME COLUMN facts TO fakts', 'got none with facts'),
    ("ALTER TABLE records RENAME TO hidden; CREATE VIEW records AS SELECT *, load_extension('x') FROM hidden",
     "store must have a table 'records'"),
    ('DROP TABLE metrics; CREATE VIRTUAL TABLE metrics USING fts5 (record, class, name, value)', 'metrics'),
    ('ALTER TABLE metrics DROP COLUMN value; ALTER TABLE metrics ADD COLUMN value AS (zeroblob(1000000000))', 'value'),
    ('PRAGMA user_version = 3', 'must have version 1, got 3'), ('PRAGMA application_id = 5', 'another program')])
def test_other_schemas_are_refused(tmp_path, script, words):
    path = foreign(tmp_path / 'foreign.sqlite')
    with closing(sqlite3.connect(path)) as database, database:
        try:
            database.executescript(script)
        except sqlite3.OperationalError as error:
            pytest.skip(str(error))
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError, match=words) as raised:
        ResultStore(path).read()
    assert 'foreign.sqlite' in str(raised.value)
    assert '\n' not in str(raised.value)
    assert path.read_bytes() == before


def test_more_columns_tables_and_triggers_are_ignored(tmp_path):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD], script='ALTER TABLE records ADD COLUMN more;'
                   'CREATE TABLE others (x); CREATE TRIGGER t AFTER INSERT ON others BEGIN SELECT 1; END;')
    assert len(ResultStore(path).read()) == 1


def test_parts_of_stores_are_refused(tmp_path, warnings):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD] * 500)
    whole = path.read_bytes()
    for size in (100, 5000, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(sqlite3.DatabaseError, match=r"got '.*foreign.sqlite'") as raised:
            ResultStore(path).read()
        assert '\n' not in str(raised.value)
    path.write_bytes(whole[:-1])
    assert len(ResultStore(path).read()) == 499
    assert len(warnings) == 1


def test_a_locked_store_is_reported_soon(tmp_path, monkeypatch):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD])
    monkeypatch.setattr(store_connection, 'READ_WAIT', .2)
    waits, connect = [], sqlite3.connect
    with closing(connect(path, isolation_level=None)) as other:
        other.execute('BEGIN EXCLUSIVE')
        monkeypatch.setattr(sqlite3, 'connect', lambda *names, timeout, **options: waits.append(timeout) or connect(
            *names, timeout=timeout, **options))
        with pytest.raises(sqlite3.DatabaseError, match=r"file that can be read, got '.*': database is locked"):
            ResultStore(path).read()
    assert waits == [.2]


def test_a_write_ahead_log_is_refused(tmp_path):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD])
    with closing(sqlite3.connect(path)) as database:
        database.execute('PRAGMA journal_mode = WAL')
    with pytest.raises(sqlite3.DatabaseError, match='must have a rollback journal, got a write-ahead log'):
        ResultStore(path).read()
    assert [file.name for file in tmp_path.iterdir()] == ['foreign.sqlite']


def test_a_write_ahead_log_beside_a_store_is_refused(tmp_path):
    """SQLite would apply the log, although the store has none."""
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD])
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as database:
        database.execute('PRAGMA journal_mode = WAL')
        database.execute("UPDATE records SET config = 'other'")
        database.commit()
        log = Path(f'{path}-wal').read_bytes()
    path.write_bytes(before)
    Path(f'{path}-wal').write_bytes(log)
    for act in (ResultStore(path).read, lambda: ResultStore(path).append(make())):
        with pytest.raises(sqlite3.DatabaseError, match='must have a rollback journal, got a write-ahead log'):
            act()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        'foreign.sqlite': before, 'foreign.sqlite-wal': log}


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no named pipes')
@pytest.mark.parametrize('create', [os.mkfifo, os.mkdir, lambda path: os.symlink('foreign.sqlite', path)],
                         ids=['pipe', 'folder', 'link'])
def test_a_journal_that_is_no_file_is_refused(tmp_path, create):
    """SQLite would wait for the writer of a pipe."""
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD])
    create(f'{path}-journal')
    for act in (ResultStore(path).read, lambda: ResultStore(path).append(make())):
        with pytest.raises(sqlite3.DatabaseError, match='journal of the store must be a regular file, got'):
            act()


@pytest.mark.parametrize('name', ['a?mode=memory', 'a#b', '100%', 'a%20b', "it's \"a\"", 'ü 日', ':memory:', 'file:x'])
def test_names_that_are_special_in_addresses(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    assert ResultStore(name).append(make()) == 1
    assert [record.number for record in ResultStore(name).read()] == [1]
    assert os.listdir(tmp_path) == [name]


INTERRUPTED = '''
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute('PRAGMA cache_size = 1')
database.execute('PRAGMA cache_spill = 1')
database.execute('BEGIN IMMEDIATE')
database.execute('UPDATE records SET config = zeroblob(9000)')
os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.mark.skipif(not hasattr(signal, 'SIGKILL'), reason='no signals')
def test_a_journal_that_names_another_file_deletes_nothing(tmp_path):
    """SQLite would delete the file that it takes for the journal of several databases."""
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD] * 50)
    victim = tmp_path / 'precious.txt'
    victim.write_text('precious')
    subprocess.run([sys.executable, '-c', INTERRUPTED, str(path)], check=False)
    journal = tmp_path / 'foreign.sqlite-journal'
    name = os.fsencode(victim)
    with journal.open('ab') as file:
        file.write(struct.pack('>I', (1 << 30) // 4096 + 1) + name + struct.pack('>II', len(name), sum(name))
                   + bytes.fromhex('d9d505f920a163d7'))
    copy = tmp_path / 'copy'
    copy.mkdir()
    for file in (path, journal):
        shutil.copy(file, copy)
    for act in (ResultStore(path).read, lambda: ResultStore(path).append(make())):
        with pytest.raises(sqlite3.DatabaseError, match='must have a journal of its own'):
            act()
    assert victim.read_text() == 'precious'
    with closing(sqlite3.connect(copy / 'foreign.sqlite')) as database:  # without the check
        database.execute('SELECT count(*) FROM records').fetchone()
    assert not victim.exists()


def test_the_number_of_rows_is_bounded(tmp_path, monkeypatch):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD] * 11, [(1, '', f'm{number}', 1.) for number in range(5)])
    monkeypatch.setattr(stored_rows, 'MAX_RECORDS', 10)
    with pytest.raises(ValueError, match=r"store must have at most 10 records, got more in '.*foreign.sqlite'"):
        ResultStore(path).read()
    monkeypatch.setattr(stored_rows, 'MAX_RECORDS', 11)
    monkeypatch.setattr(stored_rows, 'MAX_VALUES', 4)
    with pytest.raises(ValueError, match=r'store must have at most 4 metrics.*\. Record further tests in another file'):
        ResultStore(path).read()


def test_metrics_of_classes_count_only_if_they_are_read(tmp_path, monkeypatch):
    path = foreign(tmp_path / 'foreign.sqlite', [GOOD], [
        (1, '', 'AP', .5), *((1, f'class {number}', 'AP', .5) for number in range(5))])
    monkeypatch.setattr(stored_rows, 'MAX_VALUES', 4)
    record, = ResultStore(path).read(with_classes=False)
    assert record.scores.metrics == {'AP': .5}
    with pytest.raises(ValueError, match='Without --out, hrnet leaderboard reads no metrics of classes'):
        ResultStore(path).read()


def test_a_bad_store_leaves_earlier_outputs(tmp_path, capsys):
    good = foreign(tmp_path / 'good.sqlite', [GOOD], [(1, '', 'AP', .5)])
    words = ['--data', 'COCO', '--source', 'own', '--out', str(tmp_path / 'out')]
    leaderboard.main(['--store', str(good), *words])
    before = {file.name: file.read_bytes() for file in (tmp_path / 'out').iterdir()}
    assert len(before) == 3
    (tmp_path / 'bad.json').write_text('{"kind": null}')
    for more in (['--compare', str(tmp_path / 'bad.json')], ['--runs', str(tmp_path)],
                 ['--store', str(good), str(tmp_path / 'bad.json')]):
        capsys.readouterr()
        assert run(['leaderboard', '--store', str(good), *words, *more]) == 2
        assert capsys.readouterr().err.count('\n') == 1
        assert {file.name: file.read_bytes() for file in (tmp_path / 'out').iterdir()} == before


numbers = st.none() | st.integers(-2**63, 2**63 - 1) | st.floats() | st.sampled_from([1e308, -0., 5e-324])
cells = numbers | st.text(st.characters(exclude_categories=['Cs']), max_size=8) | st.binary(max_size=8)
facts = st.dictionaries(
    st.sampled_from(['method', 'note', 'size', 'params', 'gflops', 'unit', 'counted at', 'ms', 'memory', 'batch',
                     'versions', 'pictures', 'analysis', 'test', 'machine']),
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
                 | st.sampled_from([UNIT, '8x9']),
                 lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_size=6).map(json.dumps)


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(st.sampled_from(TABLES['records']), cells, facts), max_size=5),
       metrics=st.lists(st.tuples(cells, cells, st.sampled_from(['AP', 'AP', 'coco/AP', '']) | cells, cells),
                        max_size=5))
def test_stores_of_any_values_are_ranked(tmp_path_factory, rows, metrics):
    path = tmp_path_factory.mktemp('any') / 'any.sqlite'
    foreign(path, [GOOD, *(changed(**{'facts': text, name: value}) for name, value, text in rows)],
            [(1, '', 'AP', .5), *metrics])
    found = local_entries([path])
    assert found[0].number == 1
    boards = rank(found)
    assert as_csv(boards).count('\n') == len(found) + 1
    assert markdown(boards).count('\n| ') == len(found) + len(boards)
    from hrnet_plugin.evaluation.leaderboard.page.data import page_data
    json.dumps(page_data(boards, [], []), allow_nan=False)
    assert Cost(params=1., unit=UNIT).weights_in_millions == 1

"""Tests of the result store with several writers and killed writers."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from leaderboard_rows import collect_warnings
from paths import ROOT

from hrnet_plugin.evaluation.leaderboard import store as store_module
from hrnet_plugin.evaluation.leaderboard import stored_rows
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.leaderboard.store_connection import transaction


def make(**changes):
    values = dict(task='detection', config='mine', data=DataFacts(data='COCO', split='val2017', images=5000),
                  scores=Scores(metrics={'AP': 0.1 + 0.2, 'APs': None}, classes={'AP': {'cat': 0.25, 'dog': None}}),
                  model=ModelFacts(method='Faster R-CNN'), cost=Cost(params=2.5, unit='u', counted_at='8x9'),
                  conditions=Conditions(ms=12.5, batch=2, versions={'torch': '2', 'tf32': True}),
                  config_text='a = 1\n', config_sha256='ab', checkpoint='x.pth', checkpoint_sha256='cd')
    return Record(**{**values, **changes})


def test_round_trip(tmp_path):
    store = ResultStore(tmp_path / 'new' / 'folder' / 'results.sqlite')
    part = DataFacts(data='COCO', split='val2017', images=2, whole=False)
    assert [store.append(make()), store.append(make(data=part, time='2020-01-02T03:04:05+00:00'))] == [1, 2]
    first, second = store.read()
    assert first == make(number=1, time=first.time)
    assert second == make(number=2, data=part, time='2020-01-02T03:04:05+00:00')
    assert first.time > second.time


OLD_FACTS = {'method': 'Faster R-CNN', 'backbone': 'HRNetV2p-W18', 'schedule': '1x', 'note': 'n', 'test': 'flip',
             'size': '256x192', 'params': 26.2, 'gflops': 159, 'unit': 'u', 'counted at': '800x1216', 'ms': 12.5,
             'memory': None, 'batch': 4, 'machine': 'CPU', 'versions': {'torch': '2'}, 'pictures': 'p', 'other': [1]}


def write_old(path, facts):
    """Write a record with the keys of the store's first version."""
    ResultStore(path).prepare()
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO records (time, task, config, config_text, config_sha256, checkpoint, "
                         "checkpoint_sha256, data, split, images, whole, facts) "
                         "VALUES ('2020', 'detection', 'c', '', '', '', '', 'COCO', 'val2017', 5000, 1, ?)", [facts])


@pytest.fixture
def warnings(monkeypatch):
    return collect_warnings(monkeypatch, stored_rows)


@pytest.mark.parametrize('value', [math.inf, 'text', 1e300, b'x'])
def test_a_value_of_a_foreign_store_costs_this_value(tmp_path, warnings, value):
    store = ResultStore(tmp_path / 'results.sqlite')
    store.append(make())
    with closing(sqlite3.connect(store.path)) as database, database:
        database.execute("INSERT INTO metrics (record, class, name, value) VALUES (1, '', 'odd', ?)", [value])
    record, = store.read()
    assert record.scores == make().scores
    line, = warnings
    assert "results.sqlite' has a row that is left out: a metric of record 1: metrics must be finite numbers" in line
    assert line.endswith("for 'odd'")


def test_facts_of_foreign_stores_can_be_written_in_utf_8(tmp_path):
    write_old(tmp_path / 'old.sqlite', json.dumps({**OLD_FACTS, 'note': 'a\ud800'}))
    record, = ResultStore(tmp_path / 'old.sqlite').read()
    assert record.model.note == 'a?'


def test_an_old_store_opens(tmp_path):
    write_old(tmp_path / 'old.sqlite', json.dumps(OLD_FACTS))
    record, = ResultStore(tmp_path / 'old.sqlite').read()
    assert record.model == ModelFacts(method='Faster R-CNN', backbone='HRNetV2p-W18', schedule='1x', size='256x192',
                                      note='n')
    assert record.cost == Cost(params=26.2, gflops=159, unit='u', counted_at='800x1216')
    assert record.conditions == Conditions(test='flip', ms=12.5, batch=4, machine='CPU', versions={'torch': '2'},
                                           pictures='p')
    assert record.data == DataFacts(data='COCO', split='val2017', images=5000)


@pytest.mark.parametrize(('facts', 'words'), [
    ('[1]', 'facts must be a JSON object'), ('{', 'Expecting'), ('[' * 100_000, 'more than 64 nested'),
    ('{"params": "many"}', "fact 'params' must be a finite number of at most 1e\\+15, got 'many'"),
    ('{"batch": 1e400}', "fact 'batch' must be a finite number of at most 1e\\+15, got inf"),
    ('{"method": 3}', "fact 'method' must be text, got 3")],
    ids=['list', 'broken', 'nested', 'text', 'infinite', 'number'])
def test_invalid_facts_cost_their_record(tmp_path, warnings, facts, words):
    write_old(tmp_path / 'old.sqlite', facts)
    ResultStore(tmp_path / 'old.sqlite').append(make())
    assert [record.number for record in ResultStore(tmp_path / 'old.sqlite').read()] == [2]
    line, = warnings
    assert re.search(f"old.sqlite' has a row that is left out: record 1: .*{words}", line)


def test_records_cannot_be_changed_or_deleted(tmp_path):
    store = ResultStore(tmp_path / 'results.sqlite')
    store.append(make())
    store.append(make())
    before = store.read()
    with sqlite3.connect(store.path) as database:
        for statement in ("UPDATE records SET config = 'x'", 'DELETE FROM records', 'UPDATE metrics SET value = 1',
                          'DELETE FROM metrics', "INSERT OR REPLACE INTO metrics VALUES (2, '', 'AP', 1)",
                          "INSERT INTO metrics VALUES (1, '', 'late', 1)",
                          'INSERT OR REPLACE INTO records SELECT * FROM records WHERE number = 1'):
            with pytest.raises(sqlite3.IntegrityError, match='append-only'):
                database.execute(statement)
    assert store.read() == before


@pytest.mark.parametrize(('changes', 'words'), [
    (dict(scores=Scores(metrics={'AP': math.nan})), "finite numbers of at most 1e\\+15 or None, got nan for 'AP'"),
    (dict(scores=Scores(metrics={}, classes={'AP': {'cat': math.inf}})), '1e\\+15 or None, got inf'),
    (dict(conditions=Conditions(versions={'x': object()})), "JSON's types"),
    (dict(cost=Cost(params=math.nan)), "JSON's types"),
    (dict(number=3), 'must not be in a store already, got number 3'),
    (dict(scores=Scores(metrics={'AP': 2e15})), r"1e\+15 or None, got 2000000000000000.0 for 'AP'"),
    (dict(scores=Scores(metrics={'x' * 5000: 1.})), 'name of a metric must be text of at most 4096 characters'),
    (dict(scores=Scores(metrics={}, classes={'AP': {'x' * 5000: 1.}})), 'class must be text of at most 4096'),
    (dict(data=DataFacts(data='COCO', split='val2017', images=-1)), 'images must be a count .* got -1'),
    (dict(task='mmx'), "task must be one of .*, got 'mmx'"),
    (dict(config='x' * 5000), 'config must be text of at most'),
    (dict(cost=Cost(params=2e15)), r"fact 'params' must be a finite number of at most 1e\+15, got 2000000000000000.0"),
    (dict(conditions=Conditions(machine='x' * 5000)), "fact 'machine' must have at most 4096 characters, got 5000"),
    (dict(conditions=Conditions(versions={'x': 'x' * 4 * 2**20})), 'facts must be text of at most 4194304 characters'),
])
def test_invalid_records_are_refused(tmp_path, changes, words):
    store = ResultStore(tmp_path / 'results.sqlite')
    store.append(make())
    with pytest.raises(ValueError, match=words):
        store.append(make(**changes))
    assert len(store.read()) == 1


def test_long_notes_and_configs_lose_no_result(tmp_path, warnings, monkeypatch):
    recorded = collect_warnings(monkeypatch, store_module)
    store = ResultStore(tmp_path / 'results.sqlite')
    store.append(make(model=ModelFacts(note='n' * 4096), config_text='c' * 4 * 2**20))
    assert not recorded
    store.append(make(model=ModelFacts(note='n' * 5000), config_text='c' * (4 * 2**20 + 1)))
    first, second = store.read()
    assert (len(first.model.note), len(first.config_text)) == (4096, 4 * 2**20)
    assert (second.model.note, second.config_text) == ('n' * 4093 + '...', '')
    assert second.scores == make().scores
    assert not warnings
    note, config = recorded
    assert note.startswith('note must have at most 4096 characters, got 5000.')
    assert config.startswith('config_text must have at most 4194304 characters, got 4194305.')


def test_a_store_without_records(tmp_path):
    store = ResultStore(tmp_path / 'folder' / 'results.sqlite')
    store.prepare()
    store.prepare()
    assert store.read() == []
    assert store.append(make()) == 1


def test_an_empty_file_is_an_empty_store(tmp_path):
    (tmp_path / 'results.sqlite').touch()
    assert ResultStore(tmp_path / 'results.sqlite').read() == []
    (tmp_path / 'folder').mkdir()
    with pytest.raises(sqlite3.OperationalError, match=r'store must be a file that can be written, got .*folder'):
        ResultStore(tmp_path / 'folder').append(make())


def test_the_cause_is_raised_when_a_transaction_has_ended(tmp_path):
    def fail(database):
        with transaction(database):
            database.execute('COMMIT')  # as a full disk does
            raise OSError('the cause')

    with sqlite3.connect(tmp_path / 'x.sqlite', isolation_level=None) as made, pytest.raises(OSError, match='cause'):
        fail(made)


def test_reading_creates_no_store(tmp_path):
    with pytest.raises(FileNotFoundError, match='store must be an existing file, got'):
        ResultStore(tmp_path / 'none.sqlite').read()
    assert not list(tmp_path.iterdir())


def test_other_files_are_not_changed(tmp_path):
    other = tmp_path / 'other.sqlite'
    with sqlite3.connect(other) as database:
        database.execute('CREATE TABLE theirs (x)')
    text = tmp_path / 'text'
    text.write_text('not a database, and long enough to have a header of one ' * 20)
    newer = ResultStore(tmp_path / 'newer.sqlite')
    newer.append(make())
    with sqlite3.connect(newer.path) as database:
        database.execute('PRAGMA user_version = 2')
    for path, words in ((other, 'another program'), (text, 'not a database'),
                        (newer.path, 'must have version 1, got 2')):
        before = path.read_bytes()
        for act in (lambda store: store.append(make()), lambda store: store.read()):
            with pytest.raises(sqlite3.DatabaseError, match=words):
                act(ResultStore(path))
        assert path.read_bytes() == before


_WRITER = '''
import sys
sys.path[:0] = {tests!r}
from test_store import ResultStore, Scores, make
for k in range({number}):
    if {stepwise} and not sys.stdin.readline():
        sys.exit('no input')
    scores = Scores(metrics={{str(i): k / 7 for i in range(20)}})
    ResultStore({path!r}).append(make(config=f'{name} {{k}}', scores=scores))
    print(k, flush=True)
'''


@contextmanager
def writer(path, name, number, stepwise=False):
    """Start a process that writes ``number`` records and prints a line for each. If stepwise, it first reads a line."""
    tests = [str(Path(__file__).parent), str(ROOT / 'tests')]
    code = _WRITER.format(tests=tests, path=str(path), name=name, number=number, stepwise=stepwise)
    with subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)}) as process:
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_lose_nothing(tmp_path):
    path = tmp_path / 'results.sqlite'
    with writer(path, 'first', 150, stepwise=True) as first, writer(path, 'second', 150, stepwise=True) as second:
        for _ in range(150):  # in step, or the first process would end before the second begins
            for process in (first, second):
                process.stdin.write('\n')
                process.stdin.flush()
            for process in (first, second):
                assert process.stdout.readline()
        assert [first.wait(), second.wait()] == [0, 0]
    records = ResultStore(path).read()
    assert [record.number for record in records] == list(range(1, 301))
    for name in ('first', 'second'):
        assert [record.config for record in records if record.config.startswith(name)] == [
            f'{name} {k}' for k in range(150)]
    assert all(len(record.scores.metrics) == 20 for record in records)


def test_a_writer_waits_for_another(tmp_path, monkeypatch):
    store = ResultStore(tmp_path / 'results.sqlite')
    store.prepare()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute('BEGIN IMMEDIATE')
        with monkeypatch.context() as patch:
            patch.setattr('hrnet_plugin.evaluation.leaderboard.store_connection.WAIT', 0)
            with pytest.raises(sqlite3.OperationalError, match='locked'):
                store.append(make())
        written = pool.submit(store.append, make())
        time.sleep(0.5)
        other.execute('COMMIT')
        assert written.result() == 1
    assert len(store.read()) == 1


def test_a_killed_writer_loses_at_most_one_record(tmp_path):
    path = tmp_path / 'results.sqlite'
    printed = 0
    for turn in range(5):
        with writer(path, f'turn {turn}', 100000) as process:
            assert process.stdout.readline()  # it has written one
            time.sleep(0.02 + 0.013 * turn)
            os.kill(process.pid, signal.SIGKILL)
            rest = process.communicate()[0]
        printed += 1 + len(rest.splitlines())
        records = ResultStore(path).read()
        # a process may be killed between COMMIT and print
        assert printed <= len(records) <= printed + turn + 1
        assert all(len(record.scores.metrics) == 20 for record in records)
    with sqlite3.connect(path) as database:
        assert database.execute('PRAGMA integrity_check').fetchone() == ('ok', )
    ResultStore(path).append(make())
    assert len(ResultStore(path).read()) == len(records) + 1


def test_incomplete_transactions_are_rolled_back(tmp_path):
    """Roll back pages in the file by the journal, as after a power failure."""
    path = tmp_path / 'results.sqlite'
    ResultStore(path).append(make())
    code = f'''
import os, signal, sqlite3
database = sqlite3.connect({str(path)!r}, isolation_level=None)
database.execute('PRAGMA cache_size = 1')  # writes pages to the file before COMMIT
database.execute('PRAGMA cache_spill = 1')
database.execute('BEGIN IMMEDIATE')
for _ in range(12):
    database.execute('INSERT INTO records SELECT NULL, time, task, config, config_text, config_sha256, checkpoint, '
                     'checkpoint_sha256, data, split, images, whole, facts FROM records')
os.kill(os.getpid(), signal.SIGKILL)
'''
    size = path.stat().st_size
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == -signal.SIGKILL
    assert path.stat().st_size > size
    assert Path(f'{path}-journal').is_file()
    assert [record.config for record in ResultStore(path).read()] == ['mine']


def test_parts_of_records_can_be_left_out(tmp_path):
    store = ResultStore(tmp_path / 'results.sqlite')
    store.append(make(config_text='x = 1'))
    record, = store.read(with_classes=False)
    assert (record.scores.classes, record.config_text) == ({}, 'x = 1')
    assert record.scores.metrics == make().scores.metrics
    record, = store.read(with_configs=False)
    assert (record.config_text, record.scores) == ('', make().scores)

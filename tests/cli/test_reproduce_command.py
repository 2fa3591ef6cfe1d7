"""``hrnet reproduce``: options, exit code, tables and messages. Results are stored beforehand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from reproduction_rows import make_record, write_project

from hrnet_plugin.cli import reproduce
from hrnet_plugin.cli.errors import one_line
from hrnet_plugin.cli.main import run
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.experiments.reproduction import plan_rows, read_rows
from hrnet_plugin.experiments.reproduction.state import work_folder
from hrnet_plugin.files import file_lock


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """A file with three rows, which have been tested with an mIoU of 50. The second one expects 52."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    (tmp_path / 'rows.csv').write_text('name,config,checkpoint,images,mIoU,mAcc\n' + ''.join(
        f'{name},mine.py,mine.pth,2,{figure},60\n' for name, figure in (('a', 50), ('b', 52), ('c', 49.95))))
    for plan in plan_rows(read_rows(Path('rows.csv')), {}, None, one_line):
        store = ResultStore(work_folder(Path('out'), plan, Path(plan.row.address)) / 'records.sqlite')
        store.append(make_record(metrics={'mIoU': 50., 'mAcc': 70.}, time=plan.row.name))
    return ['reproduce', '--rows', 'rows.csv', '--out', 'out']


def test_the_wrong_row_is_named(rows, capsys, tmp_path):
    assert run(rows) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ['[1/3] a: mIoU 50.00, expected 50 (+0.00): agrees (tested before)',
                         '[2/3] b: mIoU 50.00, expected 52 (-2.00): differs (tested before)',
                         '[3/3] c: mIoU 50.00, expected 49.95 (+0.05): agrees (tested before)']
    assert lines[3].startswith('3 rows: 2 agrees, 1 differs. Look at b (differs)')
    text = (tmp_path / 'out/reproduce.md').read_text()
    assert '| b | ' in text
    assert 'mIoU 50.00, expected 52 (-2.00); mAcc 70.00, expected 60 (+10.00) | differs |' in text
    with (tmp_path / 'out/reproduce.csv').open() as file:
        table = list(csv.DictReader(file))
    assert [(row['row'], row['metric'], row['decides'], row['verdict']) for row in table[:3]] == [
        ('a', 'mIoU', 'yes', 'agrees'), ('a', 'mAcc', 'no', 'agrees'), ('b', 'mIoU', 'yes', 'differs')]
    assert float(table[2]['difference']) == -2
    assert [row['record'] for row in table] == list('112233')


def test_names_are_no_formulas_in_spreadsheets(rows):
    Path('rows.csv').write_text('name,config,checkpoint,images,mIoU\n+a,mine.py,mine.pth,2,50\n')
    Path('mine.pth').unlink()
    run(rows)
    with open('out/reproduce.csv') as file:
        assert [row['row'] for row in csv.DictReader(file)] == ["'+a"]


def test_the_exit_code(rows, capsys):
    assert run([*rows, 'a', 'c']) == 0
    assert run([*rows, '--tolerance', '2']) == 0
    Path('mine.pth').unlink()
    assert run([*rows, 'a']) == 1  # nothing was tested
    assert 'skipped: weights are missing' in capsys.readouterr().out


def test_a_dry_run_tests_nothing(rows, capsys):
    assert run([*rows, '--dry-run']) == 0
    out = capsys.readouterr().out
    assert '3 rows, 0 with an error. 1 checkpoints: 1 present' in out
    assert not Path('out/reproduce.md').exists()


def test_a_locked_folder_is_named(rows, capsys, monkeypatch):
    monkeypatch.setattr(reproduce, '_LOCK_TIMEOUT_SECONDS', 0.1)
    with file_lock(Path('out/.lock'), 1, ''):
        assert run(rows) == 2
    assert '--out must be a folder of one reproduction, got out, in which another one' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'message'), [
    (['--rows', 'no.csv'], 'no.csv: No such file or directory'),
    (['d'], "got 'd'"),
    (['--data-root', 'x=y'], '--data-root must be FOLDER or DATASET=FOLDER'),
    (['--data-root', 'x', 'y'], "got 'y' as another one. Put ROWS before --data-root"),
])
def test_wrong_arguments_are_one_line(words, message, rows, capsys):
    assert run([*rows, *words]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(('words', 'message'), [
    (['--rows', 'x', '--task', 'pose'], 'must be used without --rows'),
    (['--tolerance', '-1'], '--tolerance must be at least 0, got -1'),
    (['--tolerance', 'nan'], '--tolerance must be at least 0, got nan'),
    (['--nproc', '2'], '--nproc must be at least 1, and 1 without --launcher, got 2'),
    (['--weights', '/no/folder'], "--weights must be an existing folder, got '/no/folder'"),
])
def test_invalid_options(words, message, capsys):
    with pytest.raises(SystemExit):
        reproduce.parse_args(words)
    assert message in capsys.readouterr().err


def test_filters_select_published_rows():
    chosen, left_out = reproduce.choose_rows(reproduce.parse_args(['--task', 'pose', '--width', 'W48', '--source',
                                                                   'mmpose']))
    assert {row.data for row in chosen} == {'COCO', 'MPII'}
    assert all('w48' in row.config for row in chosen)
    assert all(published.entry.source == 'mmpose' for published in left_out)
    with pytest.raises(ValueError, match='the filters must match at least one row'):
        reproduce.choose_rows(reproduce.parse_args(['--task', 'classification']))


def test_folders_of_several_datasets():
    rows, _ = reproduce.choose_rows(reproduce.parse_args(['--task', 'pose']))
    assert reproduce.data_roots(['COCO=/a', 'MPII=/b'], rows) == {'COCO': '/a', 'MPII': '/b'}
    assert reproduce.data_roots(['COCO=/a', '/b'], rows) == {'COCO': '/a', '': '/b'}
    with pytest.raises(ValueError, match='--data-root must be DATASET=FOLDER for rows of MPII, COCO'):
        reproduce.data_roots(['/a'], rows)
    with pytest.raises(ValueError, match='Did you mean COCO'):
        reproduce.data_roots([f'COOC={os.sep}a'], rows)

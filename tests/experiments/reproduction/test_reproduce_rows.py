"""Tests of rows in processes of their own: stored results are used, and failures cost one row."""

from __future__ import annotations

import os
import re
import signal
import sys

import pytest
import torch
from reproduction_rows import make_record, make_row, write_project

from hrnet_plugin.cli.errors import one_line
from hrnet_plugin.cli.termination import interrupted_by_sigterm
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.experiments.reproduction import Launch, outcome_line, plan_rows, reproduce
from hrnet_plugin.experiments.reproduction.process import make_command, run_test
from hrnet_plugin.experiments.reproduction.state import collect, work_folder


@pytest.fixture
def launch(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield Launch(launcher='none', processes=1, lock=descriptor)
    os.close(descriptor)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that plans the row of a small project, with changes."""
    config = str(write_project(tmp_path))
    monkeypatch.chdir(tmp_path)

    def plan(**changes):
        row = make_row(**{**dict(config=config, address=str(tmp_path / 'mine.pth')), **changes})
        found, = plan_rows([row], {}, None, one_line)
        return found
    return plan


@pytest.fixture
def run(tmp_path, launch):
    return lambda plan, tolerance=0.1: reproduce(plan, tmp_path / 'out', tolerance, launch, one_line)


def finish(plan, tmp_path, mIoU=50.):
    """Store the result that a test of a row would store."""
    folder = work_folder(tmp_path / 'out', plan, tmp_path / 'mine.pth')
    ResultStore(folder / 'records.sqlite').append(make_record(mIoU, time=f'2026-01-01T00:00:00, {plan.row.name}'))
    return folder


def numbers(tmp_path):
    return [record.number for record in ResultStore(tmp_path / 'out/records.sqlite').read()]


def test_a_stored_result_is_not_tested_again(project, run, tmp_path):
    plan = project()
    finish(plan, tmp_path)
    outcome = run(plan)
    assert (outcome.verdict, outcome.number, outcome.seconds) == ('agrees', 1, None)
    assert outcome_line(outcome, 1, 3) == \
        '[1/3] mine: mIoU 50.00, expected 50 (+0.00): agrees (tested before)'


def test_records_are_collected_once(project, run, tmp_path):
    """A killed command may have stored the record of the test, and may have collected it or not."""
    first, second = project(), project(name='other')
    for plan in (first, second):
        finish(plan, tmp_path)
    run(first)
    assert [run(plan).number for plan in (first, second, first, second)] == [1, 2, 1, 2]
    assert numbers(tmp_path) == [1, 2]


def test_expected_figures_and_tolerance_need_no_new_test(project, run, tmp_path):
    finish(project(), tmp_path)
    assert run(project(expected={'mIoU': 51.})).verdict == 'differs'
    assert run(project(expected={'mIoU': 51.}), tolerance=1.).verdict == 'agrees'
    assert numbers(tmp_path) == [1]


@pytest.mark.parametrize('change', ['config', 'checkpoint', 'images', 'options', 'augmentation'])
def test_a_change_requires_a_new_test(change, project, tmp_path):
    plan = project()
    folder = work_folder(tmp_path / 'out', plan, tmp_path / 'mine.pth')
    assert work_folder(tmp_path / 'out', project(), tmp_path / 'mine.pth') == folder
    if change == 'config':
        (tmp_path / 'mine.py').write_text((tmp_path / 'mine.py').read_text() + 'more = dict(a=1)\n')
    elif change == 'checkpoint':
        torch.save({'weight': torch.zeros(2)}, tmp_path / 'mine.pth')
    elif change == 'images':
        (tmp_path / 'data/images/a.png').write_bytes(b'other')
    changes = dict(options=dict(options=('model.a=1', )), augmentation=dict(test='flip')).get(change, {})
    assert work_folder(tmp_path / 'out', project(**changes), tmp_path / 'mine.pth') != folder


def test_an_interrupted_test_counts_as_none(project, run, tmp_path):
    """The store of a test that was killed before its end is empty. So the row is tested, which fails here."""
    folder = work_folder(tmp_path / 'out', project(), tmp_path / 'mine.pth')
    ResultStore(folder / 'records.sqlite').prepare()
    outcome = run(project(options=('model.type=Unknown', )))
    assert outcome.verdict == 'failed'


@pytest.mark.parametrize(('changes', 'verdict', 'reason'), [
    (dict(config='no.py'), 'failed', 'config must be the name of a shipped config or the path of a file'),
    (dict(address='/no/mine.pth'), 'skipped', 'weights are missing: /no/mine.pth is missing'),
    (dict(address='https://1drv.ms/u/s'), 'skipped', 'weights are missing: download by hand from https://1drv.ms/u/s'),
    (dict(sha256='0123abcd'), 'failed', 'must have the sha256 0123abcd'),
    (dict(address='ftp://host/a.pth'), 'failed', 'the address of a checkpoint must be a path, https://'),
])
def test_rows_that_cannot_run(changes, verdict, reason, project, run):
    outcome = run(project(**changes))
    assert outcome.verdict == verdict
    assert reason in outcome.reason
    assert '\n' not in outcome_line(outcome, 1, 1)


def test_missing_data_are_named_before_weights(project, run, tmp_path):
    (tmp_path / 'data/labels/a.png').unlink()
    (tmp_path / 'data/labels').rmdir()
    outcome = run(project(address='/no/mine.pth'))
    assert (outcome.verdict, outcome.reason) == ('skipped', 'data are missing: data/labels')


def test_a_damaged_checkpoint_is_named(project, run, tmp_path):
    (tmp_path / 'mine.pth').write_bytes(b'PK\x03\x04 not a zip')
    outcome = run(project())
    assert outcome.verdict == 'failed'
    assert outcome.reason.startswith(str(tmp_path / 'mine.pth'))


def test_a_damaged_store_is_named(project, run, tmp_path):
    folder = finish(project(), tmp_path)
    (folder / 'records.sqlite').write_text('something else, but not empty ' * 100)
    outcome = run(project())
    assert outcome.verdict == 'failed'
    assert 'not a database' in outcome.reason


@pytest.mark.parametrize(('code', 'reason'), [
    ('print("hrnet test: error: it is wrong\\nmore"); raise SystemExit(2)', 'it is wrong'),
    ('raise SystemExit(3)', r'the test had exit code 3, see .*log\.txt'),
    (f'import os; os.kill(os.getpid(), {int(signal.SIGTERM)})', r'the test ended by signal 15, see .*log\.txt'),
    ('pass', '^$')])
def test_reasons_of_failed_processes(code, reason, tmp_path, launch):
    earlier = 'print("hrnet test: error: an earlier one"); raise SystemExit(2)'
    assert run_test([sys.executable, '-c', earlier], tmp_path, launch) == 'an earlier one'
    found = run_test([sys.executable, '-c', code], tmp_path, launch)
    assert re.search(reason, found)
    assert 'earlier' not in found


@pytest.mark.skipif(os.name != 'posix', reason='file descriptors of POSIX')
def test_a_test_inherits_the_lock(tmp_path, launch):
    assert run_test([sys.executable, '-c', f'import os; os.fstat({launch.lock})'], tmp_path, launch) == ''


@pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
def test_an_interruption_ends_the_test(tmp_path, launch):
    code = ('import os, signal, time; print(os.getpid(), flush=True); os.kill(os.getppid(), signal.SIGTERM); '
            'time.sleep(99)')
    with pytest.raises(KeyboardInterrupt), interrupted_by_sigterm():
        run_test([sys.executable, '-c', code], tmp_path, launch)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / 'log.txt').read_text()), 0)


def test_commands_of_the_launchers(project, tmp_path):
    plan = project(options=('a=1', ), test='flip')
    for launcher, start in (('none', [sys.executable, '-m', 'hrnet_plugin']),
                            ('pytorch', [sys.executable, '-m', 'torch.distributed.run', '--standalone',
                                         '--nproc-per-node=2', '-m', 'hrnet_plugin']),
                            ('slurm', ['srun', '--ntasks=2']), ('mpi', ['mpirun', '-np', '2'])):
        command = make_command(plan, tmp_path / 'mine.pth', tmp_path, Launch(launcher=launcher, processes=2, lock=0))
        assert command[:len(start)] == start
        words = ' '.join(command)
        assert f'hrnet_plugin test {plan.row.config} {tmp_path / "mine.pth"} ' in words
        assert f'--launcher {launcher} --tta --cfg-options a=1' in words


def test_equal_results_at_other_times_are_other_records(tmp_path):
    store = ResultStore(tmp_path / 'rows.sqlite')
    for time in ('2026-01-01T00:00:00+00:00', '2026-01-02T00:00:00+00:00'):
        store.append(make_record(time=time))
    assert [collect(tmp_path, record) for record in [*store.read(), *store.read()]] == [1, 2, 1, 2]

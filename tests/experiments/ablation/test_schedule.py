"""Runs side by side: what fails, what is killed, what is left when the budget is spent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from hrnet_plugin.experiments.ablation import Run, Schedule, Study, Variant, locked

STUDY = Study('mine', tuple(Variant(name, 'a', {}) for name in ('a', 'b', 'c')), {'AP': 'AP'}, 1, (64, 64), 1)


class FakeRun(Run):
    """Logs what a training run logs, after ``behaviour``, a line of Python."""
    behaviour = ''

    def config(self):
        from mmengine.config import Config
        return Config(dict(seed=self.seed))

    def command(self):
        folder = self.folder / 'work' / '20260101_000000' / 'vis_data'
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(loss=1, time=0.1, epoch=1)) + '\n' + json.dumps(dict(AP=40 + self.seed))
        return [sys.executable, '-c', f'import pathlib, time\n{self.behaviour}\n'
                                      f'pathlib.Path({str(folder / "scalars.json")!r}).write_text({text!r})']


class Failing(FakeRun):
    behaviour = 'raise SystemExit(3)'


class Slow(FakeRun):
    behaviour = 'time.sleep(60)'


class Silent(FakeRun):

    def command(self):
        super().command()
        return [sys.executable, '-c', '']


def runs(tmp_path, *kinds):
    return [kind(STUDY, variant, 0, tmp_path) for kind, variant in zip(kinds, STUDY.variants)]


def work(given, tmp_path, jobs=1, budget=None):
    said = []
    with locked(tmp_path) as lock:
        schedule = Schedule(given, jobs, budget, lock, said.append)
        schedule.work()
    return schedule, said


@pytest.mark.parametrize('jobs', [1, 2, 5])
def test_all_are_run_and_kept(tmp_path, jobs):
    given = runs(tmp_path, FakeRun, FakeRun, FakeRun)
    schedule, said = work(given, tmp_path, jobs)
    assert [run.result().metrics for run in given] == [{'AP': 40}] * 3
    assert schedule.failed == []
    assert [line.split(']')[0] for line in said] == ['[1/3', '[2/3', '[3/3']
    assert all('AP 40.0' in line and 'min left' in line for line in said)


class Counting(FakeRun):
    """Says how many threads it was given."""

    def command(self):
        written = super().command()[-1]
        return [sys.executable, '-c', f'{written}\nimport os\nprint("threads", os.environ["OMP_NUM_THREADS"])']


@pytest.mark.parametrize('jobs', [1, 2, 100])
def test_the_cores_are_shared(tmp_path, jobs):
    run, = runs(tmp_path, Counting)
    work([run], tmp_path, jobs)
    setting = run.result().setting
    assert (setting['threads'], setting['jobs']) == (max(1, os.cpu_count() // jobs), jobs)
    assert f'threads {setting["threads"]}' in (run.folder / 'log.txt').read_text()


class Garbled(FakeRun):

    def command(self):
        super().command()
        return [sys.executable, '-c', f'open({str(next(self.folder.rglob("vis_data")) / "scalars.json")!r}, "w")'
                                      '.write("{\\"AP")']


@pytest.mark.parametrize(('kind', 'words'), [
    (Failing, 'it ended with 3'), (Silent, 'without */vis_data'), (Garbled, 'Unterminated string')])
def test_one_that_fails_does_not_stop_the_others(tmp_path, kind, words):
    given = runs(tmp_path, FakeRun, kind, FakeRun)
    schedule, said = work(given, tmp_path)
    assert schedule.failed == [given[1]]
    assert [run.result() is not None for run in given] == [True, False, True]
    assert 'b, seed 0: failed after' in said[1]
    assert words in said[1]
    assert 'log.txt' in said[1]


def test_no_run_begins_after_the_budget(tmp_path):
    given = runs(tmp_path, FakeRun, FakeRun, FakeRun)
    schedule, _ = work(given, tmp_path, budget=0.01)
    # the first one begins at once, and is not cut short
    assert [run.result() is not None for run in given] == [True, False, False]
    assert schedule.failed == []


def test_an_interruption_ends_what_is_running(tmp_path):
    class Interrupting(Schedule):

        def _end(self, job):
            raise KeyboardInterrupt

    given = runs(tmp_path, Slow, FakeRun)
    with locked(tmp_path) as lock:
        schedule = Interrupting(given, 2, None, lock, print)
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            schedule.work()
    assert time.monotonic() - begin < 30
    with locked(tmp_path):  # nobody holds it any more
        pass


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr('hrnet_plugin.experiments.ablation.schedule._PATIENCE_SECONDS', 0.)


@pytest.mark.usefixtures('_impatient')
@pytest.mark.skipif(sys.platform == 'win32', reason='has no such locks')
def test_two_studies_do_not_share_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(RuntimeError, match='is running in'), locked(tmp_path):
        pass


@pytest.mark.usefixtures('_impatient')
@pytest.mark.skipif(sys.platform == 'win32', reason='has no such locks')
def test_runs_left_behind_hold_the_folder(tmp_path):
    with locked(tmp_path) as lock:
        orphan = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=(lock, ))
    with pytest.raises(RuntimeError, match='that it has left behind'), locked(tmp_path):
        pass
    orphan.kill()
    orphan.wait()
    with locked(tmp_path):
        pass

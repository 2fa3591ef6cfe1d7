"""Parallel runs of a study: failures, interruptions and the time budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from hrnet_plugin.experiments.ablation import Run, RunScheduler, Study, Variant, locked

STUDY = Study('mine', tuple(Variant(name, 'a', {}) for name in ('a', 'b', 'c')), {'AP': 'AP'}, 1, (64, 64), 1)


class FakeRun(Run):
    """Run that executes ``code``, a line of Python, and then writes the log of a training run."""
    code = ''

    def config(self):
        from mmengine.config import Config
        return Config(dict(seed=self.seed))

    def command(self):
        folder = self.folder / 'work' / '20260101_000000' / 'vis_data'
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(loss=1, time=0.1, step=1)) + '\n' + json.dumps(dict(AP=40 + self.seed, step=1))
        return [sys.executable, '-c', f'import pathlib, time\n{self.code}\n'
                                      f'pathlib.Path({str(folder / "scalars.json")!r}).write_text({text!r})']


class Failing(FakeRun):
    code = 'raise SystemExit(3)'


class Slow(FakeRun):
    code = 'time.sleep(60)'


class Silent(FakeRun):

    def command(self):
        super().command()
        return [sys.executable, '-c', '']


def runs(tmp_path, *kinds):
    return [kind(STUDY, variant, 0, tmp_path) for kind, variant in zip(kinds, STUDY.variants)]


def run_all(given, tmp_path, jobs=1, budget=None):
    lines = []
    with locked(tmp_path) as lock:
        scheduler = RunScheduler(given, jobs, budget, lock, lines.append)
        scheduler.run_all()
    return scheduler, lines


@pytest.mark.parametrize('jobs', [1, 2, 5])
def test_all_runs_finish_and_have_results(tmp_path, jobs):
    given = runs(tmp_path, FakeRun, FakeRun, FakeRun)
    scheduler, lines = run_all(given, tmp_path, jobs)
    assert [run.result().metrics for run in given] == [{'AP': 40}] * 3
    assert scheduler.failed == []
    assert [line.split(']')[0] for line in lines] == ['[1/3', '[2/3', '[3/3']
    assert all('AP 40.0' in line and 'min left' in line for line in lines)


class Counting(FakeRun):
    """Run that prints its number of threads."""

    def command(self):
        written = super().command()[-1]
        return [sys.executable, '-c', f'{written}\nimport os\nprint("threads", os.environ["OMP_NUM_THREADS"])']


@pytest.mark.parametrize('jobs', [1, 2, 100])
def test_parallel_runs_share_the_cores(tmp_path, jobs):
    run, = runs(tmp_path, Counting)
    run_all([run], tmp_path, jobs)
    setting = run.result().setting
    assert (setting['threads'], setting['jobs']) == (max(1, os.cpu_count() // jobs), jobs)
    assert f'threads {setting["threads"]}' in (run.folder / 'log.txt').read_text()


class Garbled(FakeRun):

    def command(self):
        super().command()
        return [sys.executable, '-c', f'open({str(next(self.folder.rglob("vis_data")) / "scalars.json")!r}, "w")'
                                      '.write("{\\"AP")']


@pytest.mark.parametrize(('kind', 'words'), [
    (Failing, 'exit code 3'), (Silent, 'without */vis_data'), (Garbled, 'has no logged AP')])
def test_a_failed_run_does_not_stop_the_others(tmp_path, kind, words):
    given = runs(tmp_path, FakeRun, kind, FakeRun)
    scheduler, lines = run_all(given, tmp_path)
    assert scheduler.failed == [given[1]]
    assert [run.result() is not None for run in given] == [True, False, True]
    assert 'b, seed 0: failed after' in lines[1]
    assert words in lines[1]
    assert 'log.txt' in lines[1]


def test_no_run_starts_after_the_budget(tmp_path):
    given = runs(tmp_path, FakeRun, FakeRun, FakeRun)
    scheduler, _ = run_all(given, tmp_path, budget=0.01)
    # the first run starts immediately and is not interrupted
    assert [run.result() is not None for run in given] == [True, False, False]
    assert scheduler.failed == []


def test_an_interruption_kills_the_active_runs(tmp_path):
    class Interrupting(RunScheduler):

        def _end(self, job):
            raise KeyboardInterrupt

    given = runs(tmp_path, Slow, FakeRun)
    with locked(tmp_path) as lock:
        scheduler = Interrupting(given, 2, None, lock, print)
        begin = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            scheduler.run_all()
    assert time.monotonic() - begin < 30
    with locked(tmp_path):  # the lock is free
        pass


@pytest.fixture
def _no_lock_timeout(monkeypatch):
    monkeypatch.setattr('hrnet_plugin.experiments.ablation.scheduler._LOCK_TIMEOUT_SECONDS', 0.)


@pytest.mark.usefixtures('_no_lock_timeout')
@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no such locks')
def test_two_studies_do_not_share_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(RuntimeError, match='is running in'), locked(tmp_path):
        pass


@pytest.mark.usefixtures('_no_lock_timeout')
@pytest.mark.skipif(sys.platform == 'win32', reason='Windows has no such locks')
def test_orphaned_runs_keep_the_folder_locked(tmp_path):
    with locked(tmp_path) as lock:
        orphan = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=(lock, ))
    with pytest.raises(RuntimeError, match='orphaned run of a killed study'), locked(tmp_path):
        pass
    orphan.kill()
    orphan.wait()
    with locked(tmp_path):
        pass

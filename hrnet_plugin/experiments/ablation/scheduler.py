"""Scheduler for the unfinished runs of a study, several in parallel."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from hrnet_plugin.experiments.ablation.runs import Run
from hrnet_plugin.experiments.benchmarking import describe
from hrnet_plugin.files import file_lock

_POLL_SECONDS = 0.2
_LOCK_TIMEOUT_SECONDS = 10.


@contextmanager
def locked(root: Path) -> Iterator[int]:
    """Lock the folder of a study, so that only one process runs the study.

    The processes of the runs inherit the lock. If a study is killed, the folder stays locked until its runs have
    ended. On Windows, there is no lock.

    Yields:
        File descriptor of the lock.

    Raises:
        RuntimeError: Another process holds the lock.
    """
    message = f'a study, or an orphaned run of a killed study, is running in {root}'
    with file_lock(root / '.lock', _LOCK_TIMEOUT_SECONDS, message) as descriptor:
        yield descriptor


@dataclass
class _Job:
    run: Run
    process: subprocess.Popen[bytes]
    begin: float


class RunScheduler:
    """Scheduler that executes runs of a study in separate processes.

    Args:
        runs: Unfinished runs.
        jobs: Number of parallel runs.
        budget: Time in seconds after which no further run starts. None for no limit.
        lock: File descriptor of the folder's lock, which the processes inherit.
        report: Function that receives one line of text per ended run.
    """

    def __init__(self, runs: Sequence[Run], jobs: int, budget: float | None, lock: int,
                 report: Callable[[str], None]) -> None:
        self._waiting = list(runs)
        self._total, self._ended = len(runs), 0
        self._jobs, self._budget, self._lock, self._report = jobs, budget, lock, report
        self._active: list[_Job] = []
        self._threads = max(1, (os.cpu_count() or 1) // jobs)
        self._setting = dict(describe('cuda' if torch.cuda.is_available() else 'cpu'), threads=self._threads, jobs=jobs)
        self.failed: list[Run] = []

    def run_all(self) -> None:
        """Execute all runs, or as many as the budget allows. An interruption kills the active runs."""
        self._begin = time.monotonic()
        try:
            while self._active or (self._waiting and self._is_within_budget()):
                while self._waiting and len(self._active) < self._jobs and self._is_within_budget():
                    self._active.append(self._start(self._waiting.pop(0)))
                time.sleep(_POLL_SECONDS)
                for job in [job for job in self._active if job.process.poll() is not None]:
                    self._active.remove(job)
                    self._end(job)
        finally:
            for job in self._active:
                job.process.kill()
            for job in self._active:
                job.process.wait()

    def _is_within_budget(self) -> bool:
        return self._budget is None or time.monotonic() - self._begin < self._budget

    def _start(self, run: Run) -> _Job:
        command = run.command()
        threads = str(self._threads)
        with open(run.folder / 'log.txt', 'ab') as log:
            process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, pass_fds=(self._lock, ) if os.name == 'posix' else (),
                env=dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads))
        return _Job(run, process, time.monotonic())

    def _end(self, job: _Job) -> None:
        self._ended += 1
        seconds = time.monotonic() - job.begin
        label = f'[{self._ended}/{self._total}] {job.run.title}'
        try:
            if job.process.returncode != 0:
                raise OSError(f'exit code {job.process.returncode}')
            metrics = job.run.save_result(self._setting).metrics
        except (OSError, ValueError) as error:  # the log is missing or unreadable
            self.failed.append(job.run)
            self._report(f'{label}: failed after {seconds:.0f} s ({error}), see {job.run.folder / "log.txt"}')
            return
        values = ', '.join(f'{title} {"-" if value is None else f"{value:.1f}"}' for title, value in metrics.items())
        elapsed = time.monotonic() - self._begin
        left = elapsed / self._ended * (self._total - self._ended) / 60
        self._report(f'{label}: {values} ({seconds:.0f} s; about {left:.0f} min left)')

"""Running what of a study has not been run, some at a time."""

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
from hrnet_plugin.files import locked as locked_file

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 10.


@contextmanager
def locked(root: Path) -> Iterator[int]:
    """Hold a study's folder, so that nobody runs the same study twice at a time.

    The runs hold it, too: where a study was killed, it is held until they have ended, which they do soon after. (On
    Windows, which has no such locks, nothing is held.)

    Raises:
        RuntimeError: If somebody else holds it.
    """
    message = f'a study, or a run that it has left behind, is running in {root}'
    with locked_file(root / '.lock', _PATIENCE_SECONDS, message) as descriptor:
        yield descriptor


@dataclass
class _Job:
    run: Run
    process: subprocess.Popen[bytes]
    begin: float


class Schedule:
    """Runs of a study, each a process of its own.

    Args:
        runs: Those that have not finished.
        jobs: How many at a time.
        budget: After how many seconds no run is begun any more; None for no such limit.
        lock: File descriptor that the runs keep open.
        say: Is given a line for each run that ends.
    """

    def __init__(self, runs: Sequence[Run], jobs: int, budget: float | None, lock: int,
                 say: Callable[[str], None]) -> None:
        self._waiting = list(runs)
        self._total, self._ended = len(runs), 0
        self._jobs, self._budget, self._lock, self._say = jobs, budget, lock, say
        self._active: list[_Job] = []
        self._threads = max(1, (os.cpu_count() or 1) // jobs)
        self._setting = dict(describe('cuda' if torch.cuda.is_available() else 'cpu'), threads=self._threads, jobs=jobs)
        self.failed: list[Run] = []

    def work(self) -> None:
        """Run them all, or as many as the budget allows. Whatever is running when this is interrupted is ended."""
        self._begin = time.monotonic()
        try:
            while self._active or (self._waiting and self._may_begin()):
                while self._waiting and len(self._active) < self._jobs and self._may_begin():
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

    def _may_begin(self) -> bool:
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
        where = f'[{self._ended}/{self._total}] {job.run.title}'
        try:
            if job.process.returncode != 0:
                raise OSError(f'it ended with {job.process.returncode}')
            metrics = job.run.keep(self._setting).metrics
        except (OSError, ValueError) as error:  # there is no log, or none that can be read
            self.failed.append(job.run)
            self._say(f'{where}: failed after {seconds:.0f} s ({error}), see {job.run.folder / "log.txt"}')
            return
        values = ', '.join(f'{title} {"-" if value is None else f"{value:.1f}"}' for title, value in metrics.items())
        elapsed = time.monotonic() - self._begin
        left = elapsed / self._ended * (self._total - self._ended) / 60
        self._say(f'{where}: {values} ({seconds:.0f} s; about {left:.0f} min left)')

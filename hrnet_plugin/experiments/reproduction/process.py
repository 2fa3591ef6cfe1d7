"""Test of a row in a process of its own, with any launcher."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.experiments.reproduction.plan import Plan
from hrnet_plugin.experiments.reproduction.state import STORE

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 10.  # for a launcher to stop its processes
_LOG = 'log.txt'

# launcher -> words before the arguments of Python
_LAUNCHERS: Mapping[str, Callable[[int], list[str]]] = {
    'none': lambda processes: [sys.executable],
    'pytorch': lambda processes: [sys.executable, '-m', 'torch.distributed.run', '--standalone',
                                  f'--nproc-per-node={processes}'],
    'slurm': lambda processes: ['srun', f'--ntasks={processes}', '--kill-on-bad-exit=1', sys.executable],
    'mpi': lambda processes: ['mpirun', '-np', str(processes), sys.executable]}
LAUNCHERS = tuple(_LAUNCHERS)


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Launcher of the processes of a test.

    Attributes:
        launcher: Launcher of ``hrnet test``.
        processes: Number of processes.
        lock: File descriptor that they inherit, so that the output folder stays locked until they have ended.
    """

    launcher: str
    processes: int
    lock: int


def make_command(plan: Plan, checkpoint: Path, folder: Path, launch: Launch) -> list[str]:
    """Return the command that tests a row and stores its record.

    Args:
        plan: Plan of the row.
        checkpoint: Path of the checkpoint.
        folder: Folder of the test.
        launch: Launcher of its processes.
    """
    row = plan.row
    words = [*_LAUNCHERS[launch.launcher](launch.processes), '-m', 'hrnet_plugin', 'test', row.config, str(checkpoint),
             '--work-dir', str(folder), '--record', str(folder / STORE), '--launcher', launch.launcher]
    words += ['--tta'] if row.uses_tta else []
    words += ['--data-root', plan.data_root] if plan.data_root is not None else []
    return [*words, '--cfg-options', *row.options] if row.options else words


def run_test(command: list[str], folder: Path, launch: Launch) -> str:
    """Run a test, with its output in ``log.txt``. An interruption ends its processes.

    Args:
        command: Result of :func:`make_command`.
        folder: Folder of the test.
        launch: Launcher of its processes.

    Returns:
        Why the test failed, in one line. Empty if it succeeded.

    Raises:
        OSError: The launcher cannot be started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / _LOG
    with log.open('ab') as file:
        start = file.tell()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                                   pass_fds=(launch.lock, ) if os.name == 'posix' else ())
        try:
            code = process.wait()
        finally:
            _end(process)
    return '' if code == 0 else _reason(log, start, code)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs. A launcher gets time to end its own processes."""
    process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    process.kill()
    process.wait()


def _reason(log: Path, start: int, code: int) -> str:
    """Return the last error message in the log of a test, or else how its process ended."""
    mark = 'hrnet test: error: '
    with log.open('rb') as file:
        file.seek(start)
        lines = file.read().decode(errors='replace').splitlines()
    errors = [line.partition(mark)[2] for line in lines if mark in line]
    if errors:
        return errors[-1]
    return f'the test ended by signal {-code}, see {log}' if code < 0 else f'the test had exit code {code}, see {log}'

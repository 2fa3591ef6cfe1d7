"""Probes that run in other interpreters, with a time limit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

Probe = tuple[str, str]  # name in probe_script.py, argument
Found = dict[str, Any]

SCRIPT = Path(__file__).resolve().parent / 'probe_script.py'
TIMEOUT = 180.0
MOST_INTERPRETERS = 4  # a host takes 0.9 GB of memory
_START = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def run_probes(probes: Mapping[str, Probe], timeout: float = TIMEOUT) -> dict[str, Found]:
    """Run probes one after another in one interpreter, and those that fail again in an interpreter of their own.

    One interpreter is several times as fast. But a probe can end it, or leave a package half imported.

    Args:
        probes: Probes by keys of the caller.
        timeout: Time limit of an interpreter in seconds.

    Returns:
        Values found by each probe, by key. They include 'error' if it failed.
    """
    results, end = _start(probes, timeout)
    alone = [key for key in probes if key not in results or 'error' in results[key]]
    if len(probes) == 1:
        return {key: results.get(key, {'error': end}) for key in probes}
    with ThreadPoolExecutor(min(MOST_INTERPRETERS, os.cpu_count() or 1)) as pool:
        again = pool.map(lambda key: run_probes({key: probes[key]}, timeout)[key], alone)
        return {**results, **dict(zip(alone, again))}


def _start(probes: Mapping[str, Probe], timeout: float) -> tuple[dict[str, Found], str]:
    """Run probes in an empty folder, where no file shadows a package; return what they found, and how that ended."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        target = Path(folder, 'found.json')
        command = [sys.executable, *interpreter_flags(), '-c', _START, str(SCRIPT), str(target), json.dumps(probes)]
        end = _run(command, folder, log, timeout)
        log.seek(0)
        last_line = log.read().decode(errors='replace').strip().splitlines()[-1:]
        results = json.loads(target.read_text(encoding='utf-8')) if target.is_file() else {}
        return results, ': '.join([end, *last_line])


def _run(command: list[str], folder: str, log: IO[bytes], timeout: float) -> str:
    """Run a command and return how it ended. Its output goes to a file: a pipe could be held by a grandchild."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=timeout,
                              check=False)
    except subprocess.TimeoutExpired:
        return f'no result within {timeout:g} s'
    if done.returncode < 0:
        return f'interpreter killed by signal {-done.returncode} ({signal.strsignal(-done.returncode)})'
    return f'interpreter ended with status {done.returncode}'


def interpreter_flags() -> list[str]:
    """Return the flags of this interpreter that determine which packages it finds."""
    flags = {'-I': sys.flags.isolated, '-E': sys.flags.ignore_environment, '-s': sys.flags.no_user_site,
             '-S': sys.flags.no_site}
    return [flag for flag, is_set in flags.items() if is_set]

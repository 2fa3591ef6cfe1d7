"""Probes that run in subprocesses with a time limit."""

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
MAX_PROCESSES = 4  # a host takes 0.9 GB of memory
_START = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


def run_probes(probes: Mapping[str, Probe], timeout: float = TIMEOUT) -> dict[str, Found]:
    """Run probes in one subprocess, and repeat each failed one in its own subprocess.

    One subprocess is several times as fast. But a probe can terminate it, or leave a package partially imported.

    Args:
        probes: Key -> probe.
        timeout: Time limit of a subprocess in seconds.

    Returns:
        Key -> results of the probe, with 'error' if it failed.
    """
    results, end = _start(probes, timeout)
    failed = [key for key in probes if key not in results or 'error' in results[key]]
    if len(probes) == 1:
        return {key: results.get(key, {'error': end}) for key in probes}
    with ThreadPoolExecutor(min(MAX_PROCESSES, os.cpu_count() or 1)) as pool:
        repeated = pool.map(lambda key: run_probes({key: probes[key]}, timeout)[key], failed)
        return {**results, **dict(zip(failed, repeated))}


def _start(probes: Mapping[str, Probe], timeout: float) -> tuple[dict[str, Found], str]:
    """Run probes in an empty folder, where no file shadows a package.

    Returns:
        Key -> results of each finished probe, and the outcome of the subprocess in words.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        target = Path(folder, 'found.json')
        command = [sys.executable, *interpreter_flags(), '-c', _START, str(SCRIPT), str(target), json.dumps(probes)]
        end = _run(command, folder, log, timeout)
        log.seek(0)
        last_line = log.read().decode(errors='replace').strip().splitlines()[-1:]
        results = json.loads(target.read_text(encoding='utf-8')) if target.is_file() else {}
        return results, ': '.join([end, *last_line])


def _run(command: list[str], folder: str, log: IO[bytes], timeout: float) -> str:
    """Run a command, and return its outcome in words. Output goes to a file: grandchildren can block pipes."""
    try:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=timeout,
                              check=False)
    except subprocess.TimeoutExpired:
        return f'no result within {timeout:g} s'
    if done.returncode < 0:
        return f'interpreter killed by signal {-done.returncode} ({signal.strsignal(-done.returncode)})'
    return f'interpreter ended with status {done.returncode}'


def interpreter_flags() -> list[str]:
    """Return the command-line flags of this interpreter that determine its module search path."""
    flags = {'-I': sys.flags.isolated, '-E': sys.flags.ignore_environment, '-s': sys.flags.no_user_site,
             '-S': sys.flags.no_site}
    return [flag for flag, is_set in flags.items() if is_set]

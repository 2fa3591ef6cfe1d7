"""Execution of mim commands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence


def run_mim(words: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Run mim in a subprocess, and return its output.

    Args:
        words: Subcommand and its arguments.
        env: Environment variables. Default: those of this process.

    Raises:
        RuntimeError: mim failed. The message contains the end of its output.
    """
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', 'from mim.cli import cli; cli()', *words], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'mim {" ".join(words)} failed:\n{done.stdout[-3000:]}')
    return done.stdout

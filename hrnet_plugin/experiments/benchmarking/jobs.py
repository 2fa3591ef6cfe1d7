"""Whole jobs, as users run them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence


def run_mim(words: Sequence[str], env: Mapping[str, str] | None = None) -> str:
    """Run mim with these words, in an environment or in this one; return what it printed.

    Raises:
        RuntimeError: If it failed; the message ends with the last of what it printed.
    """
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', 'from mim.cli import cli; cli()', *words], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'mim {" ".join(words)} failed:\n{done.stdout[-3000:]}')
    return done.stdout

"""Commands of the set-up script, its messages and its error."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class SetupError(Exception):
    """Something that the user has to fix. Its text says what."""


def ask(command: Sequence[str | Path]) -> str:
    """Return the output of a command, stripped. Empty if it fails or there is no such program."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError:
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''


def say(text: str) -> None:
    print(f'[setup {time.strftime("%H:%M:%S")}] {text}', flush=True)


def run(command: Sequence[str | Path], failure: str, **env: str) -> None:
    """Run a command with its output shown; a failure becomes a SetupError that says what to do."""
    done = subprocess.run([str(word) for word in command], env={**os.environ, **env}, check=False)
    if done.returncode:
        raise SetupError(f'{failure}\n  The command was: {" ".join(str(word) for word in command)}')

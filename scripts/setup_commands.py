"""Commands, messages and the exception of the setup script."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path


class SetupError(Exception):
    """Error that the user can fix. Its message contains instructions."""


def capture_output(command: Sequence[str | Path]) -> str:
    """Return the stripped output of a command. Empty if the command fails or does not exist."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError:
        return ''
    return done.stdout.strip() if done.returncode == 0 else ''


def print_status(text: str) -> None:
    print(f'[setup {time.strftime("%H:%M:%S")}] {text}', flush=True)


def run(command: Sequence[str | Path], failure: str, **env: str) -> None:
    """Run a command and show its output.

    Args:
        command: Program and arguments.
        failure: Message of the error, with instructions for the user.
        **env: Additional environment variables.

    Raises:
        SetupError: The command fails.
    """
    done = subprocess.run([str(word) for word in command], env={**os.environ, **env}, check=False)
    if done.returncode:
        raise SetupError(f'{failure}\n  Failed command: {" ".join(str(word) for word in command)}')

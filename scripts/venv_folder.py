"""Folder of a virtual environment, with a record of its Python, its operators and the finished steps."""

from __future__ import annotations

import shutil
from pathlib import Path

from setup_commands import SetupError, capture_output


class VenvFolder:
    """Folder of a virtual environment.

    Args:
        path: The folder, which may be missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.python = path / 'bin' / 'python'
        self.record = path / '.setup'

    def recall(self, name: str) -> str:
        """Return an entry of the record. Empty if there is none."""
        entry = self.record / name
        return entry.read_text(encoding='utf-8') if entry.is_file() else ''

    def remember(self, name: str, text: str) -> None:
        """Write an entry of the record."""
        self.record.mkdir(parents=True, exist_ok=True)
        (self.record / name).write_text(text, encoding='utf-8')

    def forget(self, name: str) -> None:
        """Remove an entry of the record."""
        (self.record / name).unlink(missing_ok=True)

    def has_python(self, version: str) -> bool:
        """Return True if pip works in the environment and belongs to a version of Python, e.g. '3.11'."""
        return capture_output([self.python, '-m', 'pip', '--version']).endswith(f'(python {version})')

    def clear(self, python: str) -> None:
        """Empty the folder, and record that this script created it.

        Args:
            python: Path of the interpreter that creates the environment.

        Raises:
            SetupError: The folder has files and was not created by this script.
        """
        is_ours = bool(self.recall('python'))
        if self.path.exists() and not is_ours and (not self.path.is_dir() or any(self.path.iterdir())):
            raise SetupError(f'--venv must be missing, empty or created by this script, got {self.path}.\n'
                             '  Choose another folder, or remove this one.')
        self.remember('python', python)  # first, so that an interrupted run can continue
        for path in [*self.path.iterdir(), *self.record.iterdir()]:
            if path not in (self.record, self.record / 'python'):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

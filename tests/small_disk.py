"""Small disks and bind mounts for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str = '1m') -> Iterator[Path]:
    """Mount a small disk during the block. Skip the test where this is not possible.

    Args:
        folder: Folder to create, in which the disk is mounted.
        size: Size with a unit.
    """
    folder.mkdir()
    with _mounted('-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', target=folder):
        yield folder


@contextmanager
def bind_mount(source: Path, target: Path) -> Iterator[None]:
    """Mount a file or folder at another path during the block. Skip the test where this is not possible.

    Args:
        source: Existing file or folder.
        target: Existing file or folder, which is hidden during the block.
    """
    with _mounted('--bind', str(source), target=target):
        yield


@contextmanager
def _mounted(*words: str, target: Path) -> Iterator[None]:
    if sys.platform != 'linux' or os.getuid() != 0:
        pytest.skip('mounting requires root on Linux')
    if subprocess.run(['mount', *words, str(target)], check=False, capture_output=True).returncode:
        pytest.skip('this container must not mount disks')
    try:
        yield
    finally:
        subprocess.run(['umount', '-l', str(target)], check=True)

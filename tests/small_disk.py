"""Small disk that a test mounts, to fill it or to make it read-only."""

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
    if sys.platform != 'linux' or os.getuid() != 0:
        pytest.skip('mounting a disk requires root on Linux')
    folder.mkdir()
    mount = ['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip('this container must not mount disks')
    try:
        yield folder
    finally:
        subprocess.run(['umount', '-l', str(folder)], check=True)

"""Cache of what mmengine reads again for each base config that a host ships."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import mmengine.config.config
import mmengine.config.utils
from mmengine.config.config import is_installed
from mmengine.fileio import load

_installed: set[str] = set()


@contextmanager
def cached_bases() -> Iterator[None]:
    """Read each metafile of a host once in this process, and list the installed distributions once per host.

    mmengine reads all metafiles of a host for each base. That takes most of the time of reading a config. A changed
    metafile is read again, and a missing host is looked up again.
    """
    with patch.object(mmengine.config.utils, 'load', _load), \
            patch.object(mmengine.config.config, 'is_installed', _is_installed):
        yield


def _load(file: str) -> Any:
    return _load_version(file, os.stat(file).st_mtime_ns)


@cache
def _load_version(file: str, modified: int) -> Any:
    return load(file)


def _is_installed(package: str) -> bool:
    if package not in _installed and is_installed(package):
        _installed.add(package)
    return package in _installed

"""Worker processes of dataloaders."""

from __future__ import annotations

import atexit
import os
import signal
from collections.abc import Callable
from ctypes import c_byte
from functools import cache, partial
from multiprocessing.sharedctypes import RawValue
from typing import Any

from torch.utils.data import DataLoader


def ignore_signals(loader: DataLoader[Any]) -> None:
    """Let the worker processes of a dataloader ignore SIGUSR1, and SIGTERM until the run ends.

    Schedulers send them to all processes of a run. torch's workers would end, and the run with them, before it can save
    a checkpoint. Python sends SIGTERM to workers when the run ends.

    Args:
        loader: Dataloader, changed in place. Keywords of a partial ``worker_init_fn`` remain readable.
    """
    given = loader.worker_init_fn
    start: Callable[..., None] | None = given
    keywords: dict[str, Any] = {}
    if isinstance(given, partial) and not given.args:
        if given.func is _start_worker:  # done before
            return
        start, keywords = given.func, given.keywords
    loader.worker_init_fn = partial(_start_worker, _start=start, _ends=_run_ends(), **keywords)


@cache
def _run_ends() -> c_byte:
    """Return a flag in shared memory, which is 1 when this process exits."""
    flag = RawValue(c_byte, 0)
    atexit.register(setattr, flag, 'value', 1)  # before multiprocessing ends the workers, whose function is older
    return flag


def _start_worker(worker: int, _start: Callable[..., None] | None, _ends: c_byte, **keywords: Any) -> None:
    def receive(*_: object) -> None:
        if _ends.value:
            os._exit(0)

    signal.signal(signal.SIGTERM, receive)
    if hasattr(signal, 'SIGUSR1'):  # not on Windows
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if _start is not None:
        _start(worker, **keywords)

"""Checkpoint hook that is safe against kills at any time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook

from hrnet_plugin.checks import check_int
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.files import atomic_write
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.runner import Runner
    from torch import Tensor

ATOMIC_BACKEND = 'hrnet_plugin.atomic'


class AtomicBackend(LocalBackend):
    """Local file backend with atomic writes, and removals that are deferred until :meth:`remove_outdated`."""

    def __init__(self) -> None:
        super().__init__()
        self._outdated: dict[str, int] = {}  # path -> its inode

    def put(self, obj: bytes, filepath: str | Path) -> None:
        with atomic_write(filepath) as scratch:
            scratch.write_bytes(obj)

    def remove(self, filepath: str | Path) -> None:
        self._outdated[str(filepath)] = os.stat(filepath).st_ino

    def remove_outdated(self) -> None:
        """Remove the files that were passed to :meth:`remove`, except those that have been written again."""
        for path, inode in self._outdated.items():
            if os.path.isfile(path) and os.stat(path).st_ino == inode:
                os.remove(path)
        self._outdated.clear()


register_backend(ATOMIC_BACKEND, AtomicBackend, force=True)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's CheckpointHook with atomic writes. Old checkpoints are removed after the new one is complete.

    mmengine removes the oldest checkpoint first and writes the next one in place. If a run with ``max_keep_ckpts=1`` is
    killed in between, it has no checkpoint to resume from. This hook has no effect on checkpoints outside of the local
    file system, or if ``file_client_args`` or ``backend_args`` are set.

    Args:
        args, kwargs: Arguments of ``mmengine.hooks.CheckpointHook``.
    """

    def __init__(self, *args: ConfigValue, **kwargs: ConfigValue) -> None:
        for name in ('interval', 'max_keep_ckpts', 'save_begin'):
            if name in kwargs:
                check_int(name, kwargs[name], -1)
        super().__init__(*args, **kwargs)
        self.backend_args: dict[str, ConfigValue] | None
        if self.backend_args is None and self.file_client_args is None and '://' not in str(self.out_dir):
            self.backend_args = dict(backend=ATOMIC_BACKEND)

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        self._remove_outdated()

    def after_train_epoch(self, runner: Runner) -> None:
        super().after_train_epoch(runner)
        self._remove_outdated()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        self._remove_outdated()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        super().after_val_epoch(runner, metrics or {})
        self._remove_outdated()

    def _remove_outdated(self) -> None:
        backend = getattr(self, 'file_backend', None)  # set by mmengine before training
        if isinstance(backend, AtomicBackend):
            backend.remove_outdated()

"""Removal of checkpoints that were written before a run was resumed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log

from hrnet_plugin.training.work_dir import is_complete

if TYPE_CHECKING:
    from mmengine.runner import Runner

_NAMES = 'preemption_checkpoints'  # key in the message hub, whose entries are saved in checkpoints


class PreemptionCheckpoints:
    """Checkpoints of PreemptionHook, which a resumed run removes after its next regular checkpoint.

    All checkpoints of a run contain their names. If the run is killed after a regular checkpoint and before the
    removal, the next run removes them.
    """

    def __init__(self) -> None:
        self._earlier: list[str] = []  # names of the checkpoints that were written before the run was resumed
        self._last: str | None = None  # path of the latest regular checkpoint

    def resume(self, runner: Runner) -> None:
        """Read the names from the checkpoint that the run was resumed from.

        If it is in another folder, its names are discarded: the work directory may have other files with such names.
        """
        hub = runner.message_hub
        if runner._load_from and Path(runner._load_from).parent.resolve() != Path(runner.work_dir).resolve():
            hub.update_info(_NAMES, [])
        self._earlier = hub.get_info(_NAMES, [])
        self._last = hub.get_info('last_ckpt', None)

    def add(self, runner: Runner, name: str) -> None:
        """Add a checkpoint before it is written, unless it replaces one of CheckpointHook or of another run."""
        hub, path = runner.message_hub, Path(runner.work_dir, name)
        names = hub.get_info(_NAMES, [])
        is_other = hub.get_info('last_ckpt', None) == str(path) or (path.exists() and name not in names)
        others = [other for other in names if other != name]
        hub.update_info(_NAMES, others if is_other else [*others, name])

    def remove_outdated(self, runner: Runner) -> None:
        """Remove the earlier checkpoints if the run has written a regular one that it can be resumed from."""
        if not self._earlier or not is_main_process():
            return
        hub = runner.message_hub
        last = hub.get_info('last_ckpt', None)
        if last == self._last:
            return
        self._last = last
        if not (Path(last).is_file() and is_complete(Path(last)) and _are_resumable(runner.hooks)):
            return
        for name in self._earlier:
            _remove(Path(runner.work_dir, name))
        hub.update_info(_NAMES, [name for name in hub.get_info(_NAMES, []) if name not in self._earlier])
        self._earlier = []


def _are_resumable(hooks: Iterable[Hook]) -> bool:
    """Return True unless regular checkpoints lack the state of optimizers or schedulers."""
    return all(hook.save_optimizer and hook.save_param_scheduler for hook in hooks if isinstance(hook, CheckpointHook))


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # training can continue
        print_log(f'{path} is outdated, but cannot be removed: {error}', logger='current', level=logging.WARNING)

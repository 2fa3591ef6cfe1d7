"""Hook that saves a checkpoint when a scheduler ends a run."""

from __future__ import annotations

import atexit
import logging
import signal
import threading
from bisect import bisect
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, IterBasedTrainLoop

from hrnet_plugin.files import atomic_write
from hrnet_plugin.registry import HOOKS
from hrnet_plugin.training.accumulation import batches_per_step
from hrnet_plugin.training.hooks.atomic_checkpoint import ATOMIC_BACKEND
from hrnet_plugin.training.hooks.preemption_checkpoints import PreemptionCheckpoints
from hrnet_plugin.training.loops import ResumableEpochLoop

if TYPE_CHECKING:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.runner import Runner

_SIGNALS = ('SIGTERM', 'SIGUSR1')  # Windows has no SIGUSR1
_TRAINED, _BATCHES = 'trained_batches', 'batches'  # keys in the meta information of checkpoints


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Hook that saves a checkpoint and ends a run after SIGTERM or SIGUSR1.

    Slurm sends SIGTERM at the time limit and before a requeue, and any signal of ``--signal`` before that. The
    checkpoint is written after the current optimizer step, or after the current evaluation. It is ``iter_N.pth``, and
    ``--resume`` finds it. Then all processes exit with 128 plus the number of the signal, as shells report it. If the
    evaluation is the last one, the run ends as usual. The resumed run removes ``iter_N.pth`` after its next
    regular checkpoint.

    A run by epochs continues within the epoch and leaves out the batches that were trained, without loading them. This
    requires :class:`~hrnet_plugin.training.loops.ResumableEpochLoop` and the same number of batches per epoch.
    Otherwise the whole epoch is repeated, with a warning. ``hrnet train`` always sets hook and loop, and protects the
    workers of dataloaders from signals to all processes. The tools of the hosts do not: use ``num_workers=0`` there.
    """

    priority = 'LOWEST'  # after schedulers, averages of weights, and other checkpoints

    def __init__(self) -> None:
        self._received = 0
        self._previous: dict[int, Any] = {}
        self._checkpoints = PreemptionCheckpoints()

    def before_train(self, runner: Runner) -> None:
        """Handle the signals. Only the main thread of a process can do that."""
        self._checkpoints.resume(runner)
        if threading.current_thread() is threading.main_thread():
            self._received = 0
            numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
            self._previous = {number: signal.signal(number, self._receive) for number in numbers}
        barrier()  # the first process may remove the checkpoint when the others have read it

    def after_train(self, runner: Runner) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not installed by Python
        self._previous = {}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Continue within the epoch in which the checkpoint was written."""
        trained = checkpoint.get('meta', {}).get(_TRAINED, 0)
        if not runner._resume or not trained:
            return
        loop, batches = runner.train_loop, checkpoint['meta'][_BATCHES]
        if isinstance(loop, ResumableEpochLoop) and len(loop.dataloader) == batches:
            loop.skipped = trained
            print_log(f'{trained} of {batches} batches of this epoch were trained before and are left out',
                      logger='current')
        else:
            print_log(f'the epoch is repeated, though {trained} of its {batches} batches were trained before. To '
                      'continue within it, use train_cfg.type=hrnet_plugin.ResumableEpochLoop and the same number of '
                      'batches', logger='current', level=logging.WARNING)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                         outputs: dict[str, torch.Tensor] | None = None) -> None:
        """End the run if a process has received a signal and the optimizer has made a step."""
        iteration = runner.iter + 1
        self._checkpoints.remove_outdated(runner)
        if iteration % batches_per_step(runner.optim_wrapper):
            return  # gradients of further batches are missing
        received = self._received_by_any(runner)
        if received and _evaluates_next(runner.train_loop, iteration):
            self._save(runner, iteration, 0)  # the run ends after the evaluation, which a resumed run would leave out
        elif received:
            self._end(runner, received, iteration, batch_idx + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Remove checkpoints that a regular one has replaced."""
        self._checkpoints.remove_outdated(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """End the run if a process has received a signal during an evaluation, unless it is the last one."""
        if not self._previous or runner.iter % batches_per_step(runner.optim_wrapper):
            return  # the run ends after the next optimizer step
        received = self._received_by_any(runner)
        if received and not _is_complete(runner.train_loop):
            self._end(runner, received, runner.iter, 0)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received = number

    def _received_by_any(self, runner: Runner) -> int:
        """Return the signal that a process has received, the same in all processes. 0 for none."""
        if not runner.distributed:
            return self._received
        received = torch.tensor(self._received, device=get_device())
        all_reduce(received, 'max')
        return int(received)

    def _end(self, runner: Runner, received: int, iteration: int, trained: int) -> None:
        self._save(runner, iteration, trained)
        print_log(f'{signal.Signals(received).name}: iter_{iteration}.pth is written, and training stops. Start it '
                  'again with --resume to continue', logger='current', level=logging.WARNING)
        barrier()  # launchers kill the other processes when one ends, while the first one may still write
        # signals of launchers would change the exit code: until this process exits, they only set a flag
        atexit.register(_ignore_signals, list(self._previous))
        raise SystemExit(128 + received)

    def _save(self, runner: Runner, iteration: int, trained: int) -> None:
        meta: dict[str, int] = dict(epoch=runner.epoch, iter=iteration)
        if trained and isinstance(runner.train_loop, EpochBasedTrainLoop):
            meta.update({_TRAINED: trained, _BATCHES: len(runner.train_dataloader)})
        name = f'iter_{iteration}.pth'
        self._checkpoints.add(runner, name)
        runner.save_checkpoint(runner.work_dir, name, meta=meta, by_epoch=False,
                               backend_args=dict(backend=ATOMIC_BACKEND))
        if is_main_process():
            with atomic_write(Path(runner.work_dir, 'last_checkpoint')) as scratch:
                scratch.write_text(str(Path(runner.work_dir, name)), encoding='utf-8')


def _evaluates_next(loop: BaseLoop, iteration: int) -> bool:
    """Return True if a loop by iterations evaluates or ends after an iteration. Loops by epochs evaluate later."""
    if not isinstance(loop, IterBasedTrainLoop):
        return False
    if iteration == loop.max_iters:
        return True
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, iteration + 1) - 1]
    return loop.runner.val_loop is not None and iteration >= loop.val_begin and iteration % interval == 0


def _is_complete(loop: BaseLoop) -> bool:
    """Return True if a loop ends after an evaluation."""
    if isinstance(loop, EpochBasedTrainLoop):
        return loop.stop_training or loop.epoch >= loop.max_epochs
    return getattr(loop, 'stop_training', False) or loop.iter >= loop.max_iters


def _ignore_signals(numbers: Iterable[int]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)

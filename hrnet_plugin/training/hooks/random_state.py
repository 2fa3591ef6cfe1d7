"""Hook that makes resumed runs equal to uninterrupted ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop
from torch import Tensor

from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.runner import Runner
    from torch.utils.data import DataLoader

_Entry = TypeVar('_Entry')

_KEY = 'random_state'
_STRIDE = 1_000_003  # difference between seeds of epochs, larger than the number of processes and workers


class RandomState(TypedDict, total=False):
    """State of all random number generators of a process.

    Attributes:
        python: State from ``random.getstate()``: version, numbers and the next Gaussian number.
        numpy: State from ``np.random.get_state()`` with the keys as a list: generator, keys, position, whether a
            Gaussian number is cached, and that number.
        torch: State from ``torch.get_rng_state()``.
        cuda: State from ``torch.cuda.get_rng_state()``. Missing without a GPU.
    """
    python: tuple[int, tuple[int, ...], float | None]
    numpy: tuple[str, list[int], int, int, float]
    torch: Tensor
    cuda: Tensor


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Hook that saves the random state in checkpoints, and restores it when a run resumes.

    mmengine does not save the random state, so a resumed run draws other numbers than an uninterrupted one. With this
    hook in both runs and a fixed ``randomness.seed``, their losses are equal, on CPUs bit by bit. Enable it for any
    config by ``--cfg-options default_hooks.random_state.type=hrnet_plugin.RandomStateHook``. A run that continues
    within an epoch has other augmentations in the rest of it, if it has workers.

    The hook has two more effects. Validation does not change the random state. Dataloader workers, also persistent
    ones, restart in each epoch with a seed of the epoch. mmengine starts non-persistent workers with the same seed in
    each epoch.

    With several processes, the state of rank 0 is saved. The other ranks derive different states from it, so that the
    resumed run is valid but has other losses.
    """

    priority = 'VERY_HIGH'  # before hooks that draw random numbers

    def __init__(self) -> None:
        self._pending: RandomState | None = None
        self._before_validation: RandomState | None = None
        self._seed: int | None = None  # seed of the workers from mmengine

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint[_KEY] = self._before_validation or random_state()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if runner._resume:
            self._pending = checkpoint.get(_KEY)

    def before_train(self, runner: Runner) -> None:
        loop = runner.train_loop
        if self._pending is not None and not isinstance(loop, EpochBasedTrainLoop):
            # the loop first skips the batches before the checkpoint
            loop.dataloader_iterator = _Restoring(loop.dataloader_iterator, loop.iter, self._pending)
            self._pending = None

    def before_train_epoch(self, runner: Runner) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        self._seed_workers(runner.train_dataloader, runner.epoch)
        if self._pending is not None:
            restore(self._pending)
            self._pending = None

    def _seed_workers(self, loader: DataLoader[DATA_BATCH], epoch: int) -> None:
        start = loader.worker_init_fn
        if loader.num_workers == 0 or not isinstance(start, partial) or 'seed' not in start.keywords:
            return
        if self._seed is None:
            self._seed = start.keywords['seed']
        loader.worker_init_fn = partial(start, seed=(self._seed + epoch * _STRIDE) % 2**31)
        loader._iterator = None  # otherwise persistent workers would keep the seed of the previous epoch

    def before_val(self, runner: Runner) -> None:
        self._before_validation = random_state()

    def after_val(self, runner: Runner) -> None:
        if self._before_validation is not None:
            restore(self._before_validation, same_process=True)
            self._before_validation = None


def random_state() -> RandomState:
    """Return the random state of Python, numpy and torch, in types that ``weights_only=True`` allows."""
    name, keys, *rest = cast('tuple[Any, ...]', np.random.get_state())
    state: RandomState = dict(python=random.getstate(), numpy=(name, keys.tolist(), *rest), torch=torch.get_rng_state())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def restore(state: RandomState, same_process: bool = False) -> None:
    """Set the random state from :func:`random_state`. Ranks other than 0 derive different states from it.

    Args:
        state: Random state.
        same_process: Whether the state is from this process, so that all ranks set it unchanged.
    """
    version, numbers, gauss = state['python']
    random.setstate((version, tuple(numbers), gauss))
    name, keys, position, is_cached, cached = state['numpy']
    np.random.set_state((name, np.array(keys, np.uint32), position, is_cached, cached))
    torch.set_rng_state(state['torch'].cpu())
    if 'cuda' in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'].cpu())
    if not same_process and get_rank() > 0:
        seed = int(torch.randint(2**31, ())) + get_rank()
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)


class _Restoring(Iterator[_Entry]):
    """Iterator that restores the random state after ``skipped`` entries."""

    def __init__(self, iterator: Iterator[_Entry], skipped: int, state: RandomState) -> None:
        self._iterator, self._remaining, self._state = iterator, skipped, state

    def __next__(self) -> _Entry:
        if self._remaining == 0:
            restore(self._state)
        self._remaining -= 1
        return next(self._iterator)

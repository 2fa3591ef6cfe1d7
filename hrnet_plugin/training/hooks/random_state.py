"""A resumed run goes on as if it had not been interrupted."""

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
_STRIDE = 1_000_003  # between the seeds of epochs, larger than any number of processes and workers


class RandomState(TypedDict, total=False):
    """State of all random numbers of a process.

    Attributes:
        python: Of ``random.getstate()``: version, numbers and the next Gaussian number.
        numpy: Of ``np.random.get_state()``, its keys as a list: generator, keys, position, whether a Gaussian number is
            cached, and that number.
        torch: Of ``torch.get_rng_state()``.
        cuda: Of ``torch.cuda.get_rng_state()``, where there is a GPU.
    """
    python: tuple[int, tuple[int, ...], float | None]
    numpy: tuple[str, list[int], int, int, float]
    torch: Tensor
    cuda: Tensor


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Saves the state of all random numbers in checkpoints, and restores it when a run resumes from one.

    mmengine saves none, so that a resumed run draws other numbers than an uninterrupted one. With this hook in both and
    a fixed ``randomness.seed``, they have the same losses: bit by bit on CPUs. Turned on for any config by
    ``--cfg-options default_hooks.random_state.type=hrnet_plugin.RandomStateHook``.

    For that, validation gives the random numbers back as it found them, and the workers of an epoch's data loader are
    started anew with seeds of that epoch, also persistent ones (mmengine gives all epochs of a worker that is not
    persistent the same numbers). Of several processes, the first one's state is saved, from which the others get
    different ones: such runs continue validly, but not with the same losses.
    """

    priority = 'VERY_HIGH'  # before what draws numbers

    def __init__(self) -> None:
        self._pending: RandomState | None = None
        self._before_validation: RandomState | None = None
        self._seed: int | None = None  # that the workers had of mmengine

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        checkpoint[_KEY] = self._before_validation or random_state()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        if runner._resume:
            self._pending = checkpoint.get(_KEY)

    def before_train(self, runner: Runner) -> None:
        loop = runner.train_loop
        if self._pending is not None and not isinstance(loop, EpochBasedTrainLoop):
            # the loop first runs through the data that was used before
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
        loader._iterator = None  # persistent workers would go on with the numbers of the epoch before

    def before_val(self, runner: Runner) -> None:
        self._before_validation = random_state()

    def after_val(self, runner: Runner) -> None:
        if self._before_validation is not None:
            restore(self._before_validation, same_process=True)
            self._before_validation = None


def random_state() -> RandomState:
    """Of Python, numpy and torch, in types that torch loads with ``weights_only=True``."""
    name, keys, *rest = cast('tuple[Any, ...]', np.random.get_state())
    state: RandomState = dict(python=random.getstate(), numpy=(name, keys.tolist(), *rest), torch=torch.get_rng_state())
    if torch.cuda.is_available():
        state['cuda'] = torch.cuda.get_rng_state()
    return state


def restore(state: RandomState, same_process: bool = False) -> None:
    """Set what :func:`random_state` gave. Other processes than the first get numbers of their own."""
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
    """An iterator that sets the state of random numbers before it goes on after some entries."""

    def __init__(self, iterator: Iterator[_Entry], skipped: int, state: RandomState) -> None:
        self._iterator, self._left, self._state = iterator, skipped, state

    def __next__(self) -> _Entry:
        if self._left == 0:
            restore(self._state)
        self._left -= 1
        return next(self._iterator)

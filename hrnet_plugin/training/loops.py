"""Training loop that continues within an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop
from torch.utils.data import DataLoader

from hrnet_plugin.registry import LOOPS


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """mmengine's loop by epochs, which can leave out the first batches of its first epoch.

    Args:
        args, kwargs: Arguments of ``mmengine.runner.EpochBasedTrainLoop``.

    Attributes:
        skipped: Number of batches that the next epoch leaves out, without loading them. They were trained before the
            run was interrupted.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.skipped = 0

    def run_epoch(self) -> None:
        """Train for the rest of an epoch."""
        start, self.skipped = self.skipped, 0
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        with _without_first(self.dataloader, start):
            for index, batch in enumerate(_iterate(self.dataloader, start > 0), start):
                self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


def _iterate(loader: DataLoader[Any], is_continued: bool) -> Iterator[Any]:
    """Return the iterator of an epoch. That of a continued epoch does not change the state of random numbers.

    torch draws a number for each iterator. An uninterrupted run has drawn it at the start of the epoch.
    """
    if not is_continued:
        return iter(loader)
    state = torch.get_rng_state()
    iterator = iter(loader)
    torch.set_rng_state(state)
    return iterator


@contextmanager
def _without_first(loader: DataLoader[Any], number: int) -> Iterator[None]:
    """Leave out the first batches of the next pass over a dataloader."""
    if number == 0:
        yield
        return
    sampler = loader.batch_sampler
    # torch forbids other samplers, because its iterators may have the old one: this one belongs to the next iterator
    object.__setattr__(loader, 'batch_sampler', _LaterBatches(sampler, number))
    loader._iterator = None  # of persistent workers
    try:
        yield
    finally:
        object.__setattr__(loader, 'batch_sampler', sampler)


class _LaterBatches:
    """Batch sampler without the first batches of its first pass. Persistent workers keep it."""

    def __init__(self, batches: Any, skipped: int) -> None:
        self._batches, self._skipped = batches, skipped

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        start, self._skipped = self._skipped, 0  # at the first batch: torch makes two iterators and uses one
        yield from islice(iter(self._batches), start, None)

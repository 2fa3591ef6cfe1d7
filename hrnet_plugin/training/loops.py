"""Training loop that continues within an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from hrnet_plugin.checks import check_ints, check_number, check_sequence
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.registry import LOOPS


@LOOPS.register_module()
class ResumableEpochLoop(EpochBasedTrainLoop):
    """mmengine's loop by epochs, which can leave out the first batches of its first epoch.

    Args:
        runner: Runner of the loop.
        dataloader: Dataloader of the training data, or its config.
        max_epochs: Number of epochs.
        val_begin: First epoch after which the model is validated.
        val_interval: Number of epochs between validations.
        dynamic_intervals: Pairs of an epoch and the ``val_interval`` from that epoch on.

    Raises:
        TypeError, ValueError: If an argument is invalid.

    Attributes:
        skipped: Number of batches that the next epoch leaves out, without loading them. They were trained before the
            run was interrupted.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader[Any] | ConfigEntry, max_epochs: int, val_begin: int = 1,
                 val_interval: int = 1, dynamic_intervals: Sequence[tuple[int, int]] | None = None) -> None:
        check_number('max_epochs', max_epochs, least=0)
        check_number('val_begin', val_begin)
        check_number('val_interval', val_interval)
        pairs = [tuple(check_ints('each entry of dynamic_intervals', pair, 2, least=0)) for pair in
                 check_sequence('dynamic_intervals', dynamic_intervals or (), None, 'pairs of ints')]
        super().__init__(runner, dataloader, max_epochs, val_begin, val_interval, pairs or None)
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

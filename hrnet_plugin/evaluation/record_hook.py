"""Evaluations are kept for the leaderboard."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from mmengine.dist import is_main_process, master_only
from mmengine.hooks import Hook
from mmengine.logging import print_log

from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.hooks.hook import DATA_BATCH
    from mmengine.runner import Runner
    from mmengine.structures import BaseDataElement


STORE = 'work_dirs/leaderboard.sqlite'
_WARM_UP = 5  # batches that are not timed, if there are more


@HOOKS.register_module()
class RecordHook(Hook):
    """Append every test to a store of results: figures, class by class, of what, by which weights, how fast and large.

    ``custom_hooks=[dict(type='hrnet_plugin.RecordHook')]`` in a config of mmdet, mmpose or mmsegmentation, or ``mim
    test hrnet_plugin ... --record``. Detections are evaluated once more after the host's own evaluation, by the COCO
    API, since that rounds to three digits; they stay in the run's folder as ``results.bbox.json`` (and ``.segm.json``).

    The time of an image is that of a batch, from the images to their predictions and with whatever the evaluator does
    with each, over the batch's size: the median of the test's batches but the first five.

    Args:
        store: File to which the record is appended, a ``ResultStore``.
        note: What sets this model apart from others of the same framework, backbone and schedule.
    """

    priority = 'VERY_HIGH'  # before others draw and log, which is not timed

    def __init__(self, store: str = STORE, note: str = '') -> None:
        if not isinstance(store, (str, Path)) or not str(store):
            raise TypeError(f'store must be the path of a file, got {store!r}')
        if not isinstance(note, str):
            raise TypeError(f'note must be a text, got {note!r}')
        self.store = store
        self.note = note
        self._times: list[float] = []
        self._start = 0.
        self._metrics: Mapping[str, Any] = {}
        self._data: Any = None

    def before_test(self, runner: Runner) -> None:
        """See that the results can be kept before they are made, and learn what there is to know before.

        Raises:
            ValueError: If the config is of none of the three hosts.
            OSError, sqlite3.Error: If the store cannot be written.
        """
        from hrnet_plugin.evaluation.leaderboard.gather import about_data, about_model, keep_detections
        from hrnet_plugin.evaluation.leaderboard.store import ResultStore
        self._times, self._metrics = [], {}
        keep_detections(runner)
        if is_main_process():
            ResultStore(self.store).prepare()
            self._data = about_data(runner)
            self._model, self._cost = about_model(runner.cfg, self._data.data)
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None) -> None:
        """Start the clock."""
        _synchronize()
        self._start = time.perf_counter()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                        outputs: Sequence[BaseDataElement] | None = None) -> None:
        """Stop it."""
        _synchronize()
        self._times.append((time.perf_counter() - self._start) / max(1, len(outputs or ())))

    def after_test_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Take what the evaluators have found."""
        self._metrics = metrics or {}

    @master_only
    def after_test(self, runner: Runner) -> None:
        """Write the record, when all has been drawn and logged."""
        from hrnet_plugin.evaluation.leaderboard.gather import gather, test_note
        from hrnet_plugin.evaluation.leaderboard.store import ResultStore
        notes = ', '.join(filter(None, (test_note(runner), self.note)))
        record = gather(runner, self._metrics, self._data, replace(self._model, note=notes), self._cost,
                        self.milliseconds)
        number = ResultStore(self.store).append(record)
        print_log(f'kept for the leaderboard as number {number} of {self.store}', logger='current')

    @property
    def milliseconds(self) -> float | None:
        """Of an image in the last test."""
        times = self._times[_WARM_UP:] or self._times
        return 1000 * median(times) if times else None


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()

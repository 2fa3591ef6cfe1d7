"""Hook that records tests for the leaderboard."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
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

    from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import EvaluatedDataset
    from hrnet_plugin.evaluation.leaderboard.facts import Cost, DataFacts, ModelFacts


STORE = 'work_dirs/leaderboard.sqlite'
_WARM_UP = 5  # batches excluded from the median time, if there are more


@HOOKS.register_module()
class RecordHook(Hook):
    """Hook that appends a record of each tested dataset to a result store.

    The record contains metrics, per-class AP, dataset, config, checkpoint, time and memory. Enable the hook with
    ``custom_hooks=[dict(type='hrnet_plugin.RecordHook')]`` in a config of mmdet, mmpose or mmsegmentation, or with
    ``mim test hrnet_plugin ... --record``.

    mmdet rounds metrics to three digits. Its detections are therefore evaluated again, with the metrics of the COCO API
    and an :class:`~hrnet_plugin.evaluation.analysis.analysis.Analysis` as ``results.analysis.json``. They are saved
    in the run folder as ``results.bbox.json`` and ``results.segm.json``, and those of further evaluators as
    ``results1.bbox.json``. Keypoints of mmpose are saved as ``results.keypoints.json``, and the IDs of the evaluated
    images as ``results.images.json``.

    The time per image is the time of a batch divided by its size. It includes the model's ``test_step`` and
    the evaluator's processing, but not data loading. The record contains the median without the first five batches.

    Args:
        store: Path of the :class:`~hrnet_plugin.evaluation.leaderboard.store.ResultStore`.
        note: Note that distinguishes the model from others with the same framework, backbone and schedule.
    """

    priority = 'VERY_HIGH'  # so that drawing and logging of other hooks are not timed

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
        self._parts: list[tuple[EvaluatedDataset, DataFacts, ModelFacts, Cost]] = []

    def before_test(self, runner: Runner) -> None:
        """Check that the store is writable, and describe datasets and model before the test.

        Raises:
            ValueError: If the config belongs to none of the hosts.
            OSError, sqlite3.Error: If the store cannot be written.
        """
        from hrnet_plugin.evaluation.leaderboard.exact_metrics import save_detections
        from hrnet_plugin.evaluation.leaderboard.store import ResultStore
        self._times, self._metrics = [], {}
        save_detections(runner)
        if is_main_process():
            ResultStore(self.store).prepare()
            self._parts = list(_describe(runner))
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None) -> None:
        """Start the timer."""
        _synchronize()
        self._start = time.perf_counter()

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: DATA_BATCH = None,
                        outputs: Sequence[BaseDataElement] | None = None) -> None:
        """Stop the timer and save the time per image."""
        _synchronize()
        self._times.append((time.perf_counter() - self._start) / max(1, len(outputs or ())))

    def after_test_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """Save the metrics of the evaluators."""
        self._metrics = metrics or {}

    @master_only
    def after_test(self, runner: Runner) -> None:
        """Append a record per dataset, after other hooks have drawn and logged."""
        from hrnet_plugin.evaluation.leaderboard.runner_record import make_test_record, test_note
        from hrnet_plugin.evaluation.leaderboard.store import ResultStore
        prefixes = [tested.prefix for tested, *_ in self._parts]
        for tested, data, model, cost in self._parts:
            notes = ', '.join(filter(None, (test_note(runner, tested), self.note)))
            record = make_test_record(runner, tested.prefix.select(self._metrics, prefixes), tested, data,
                                      replace(model, note=notes), cost, self.milliseconds)
            number = ResultStore(self.store).append(record)
            print_log(f'Saved as record {number} in the leaderboard store {self.store}', logger='current')

    @property
    def milliseconds(self) -> float | None:
        """Median time per image of the last test in milliseconds, or None before a test."""
        times = self._times[_WARM_UP:] or self._times
        return 1000 * median(times) if times else None


def _describe(runner: Runner) -> Iterator[tuple[EvaluatedDataset, DataFacts, ModelFacts, Cost]]:
    from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import evaluated_datasets
    from hrnet_plugin.evaluation.leaderboard.runner_record import describe_tested_data, describe_tested_model
    models: dict[str, tuple[ModelFacts, Cost]] = {}  # the size of the count depends on the name of the dataset
    for tested in evaluated_datasets(runner):
        data = describe_tested_data(runner, tested)
        if data.data not in models:
            models[data.data] = describe_tested_model(runner.cfg, data.data)
        yield tested, data, *models[data.data]


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()

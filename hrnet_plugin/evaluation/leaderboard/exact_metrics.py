"""Metrics and analyses of saved detections, without the rounding of mmdet."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import itertools
import logging
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.runner import Runner

from hrnet_plugin.evaluation.analysis.files import write_analyses
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import EvaluatedDataset, evaluated_datasets
from hrnet_plugin.evaluation.leaderboard.facts import Scores
from hrnet_plugin.evaluation.tested_images import write_tested_images
from hrnet_plugin.hosts import host_of_config

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


def save_detections(runner: Runner) -> None:
    """Make evaluators save detections in the run folder, unless the config sets ``outfile_prefix``.

    An ``outfile_prefix`` that an earlier evaluator has gets a number, and a warning is logged. Otherwise the record of
    one dataset would have the detections of another. The IDs of the images that the record evaluates are saved beside
    the detections.
    """
    host, evaluator = host_of_config(runner.cfg), runner.test_loop.evaluator
    metrics = host.result_metrics(evaluator)
    others = [metric for metric in evaluator.metrics if metric not in metrics]
    _set_prefixes(metrics, others, runner)
    evaluated_again = host.coco_metrics(evaluator)
    for metric in metrics if is_main_process() else ():
        # mmpose evaluates all images of the annotations, even if it tests a subset
        datasets = _datasets_of(metric, runner) if metric in evaluated_again else ()
        write_tested_images(metric.outfile_prefix, _evaluated_images(metric, datasets))


def _set_prefixes(metrics: Sequence[BaseMetric], others: Sequence[BaseMetric], runner: Runner) -> None:
    """Give each evaluator an ``outfile_prefix`` of its own.

    Args:
        metrics: Evaluators that write results in COCO format.
        others: Other evaluators, which may have an ``outfile_prefix``, too.
        runner: Runner, in whose run folder evaluators without a prefix save their results.
    """
    taken = set(_configured_prefixes(others))
    configured = set(_configured_prefixes(metrics))
    for number, metric in enumerate(metrics):
        if metric.outfile_prefix is None:
            metric.outfile_prefix = _free(str(Path(runner.log_dir) / f'results{number or ""}'), configured | taken)
        elif os.path.abspath(metric.outfile_prefix) in taken:
            repeated, metric.outfile_prefix = metric.outfile_prefix, _free(metric.outfile_prefix, configured | taken)
            print_log(f'outfile_prefix must differ between evaluators, got {repeated} more than once. The results of '
                      f'one are saved as {metric.outfile_prefix}.', logger='current', level=logging.WARNING)
        taken.add(os.path.abspath(metric.outfile_prefix))


def _configured_prefixes(metrics: Sequence[BaseMetric]) -> Iterator[str]:
    for metric in metrics:
        if getattr(metric, 'outfile_prefix', None) is not None:
            yield os.path.abspath(metric.outfile_prefix)


def _free(prefix: str, taken: Collection[str]) -> str:
    """Return a prefix that is not taken: itself, or with the lowest possible number."""
    numbered = (f'{prefix}{"_" if number else ""}{number or ""}' for number in itertools.count())
    return next(each for each in numbered if os.path.abspath(each) not in taken)


@dataclass(frozen=True)
class ExactScores:
    """Evaluation of saved detections.

    Attributes:
        scores: Exact metrics. Empty if the dataset has no evaluator that saves detections, or several.
        analysis: Path of the file of analyses. Empty if there is none.
    """

    scores: Scores
    analysis: str = ''


def evaluate_again(runner: Runner, tested: EvaluatedDataset) -> ExactScores:
    """Evaluate the saved results of one dataset without rounding, and write an analysis beside them.

    Keypoints have an analysis and no exact metrics, since mmpose does not round. A kind is left out, and a warning is
    logged, if its evaluation fails.

    Args:
        runner: Runner after the test.
        tested: Dataset of the test.
    """
    metrics: dict[str, float | None] = {}
    classes: dict[str, dict[str, float | None]] = {}
    host, evaluator = host_of_config(runner.cfg), runner.test_loop.evaluator
    evaluators = [metric for metric in host.result_metrics(evaluator)
                  if metric in tested.evaluators and not metric.format_only]
    if len(evaluators) != 1:  # ambiguous
        return ExactScores(Scores(metrics=metrics, classes=classes))
    metric, = evaluators
    from hrnet_plugin.evaluation.analysis.analyze import analyze  # requires pycocotools
    from hrnet_plugin.evaluation.coco_evaluation import collect_metrics
    exact = metric in host.coco_metrics(evaluator)
    evaluate = _box_evaluator(metric, tested) if exact else _keypoint_evaluator(metric)
    analyses = {}
    for kind in metric.metrics if exact else ('keypoints', ):
        results = Path(f'{metric.outfile_prefix}.{kind}.json')
        if kind not in SHAPES or not results.is_file():
            continue
        try:
            evaluation = evaluate(results, kind)
            analyses[kind], found = analyze(evaluation), collect_metrics(evaluation)
        except Exception as error:  # must not lose the host's metrics of a test that may have taken hours
            lost = f'contains the rounded {kind} metrics of mmdet' if exact else f'has no analysis of {kind}'
            print_log(f'The record {lost}: {error!r}', logger='current', level=logging.WARNING)
            continue
        if exact:
            metrics.update(found.metrics)
            classes['AP' if kind == 'bbox' else 'mask AP'] = dict(found.classes)
    return ExactScores(Scores(metrics=metrics, classes=classes), write_analyses(metric.outfile_prefix, analyses))


_Evaluate = Callable[[Path, str], 'ArrayEvaluation']


def _box_evaluator(metric: BaseMetric, tested: EvaluatedDataset) -> _Evaluate:
    """Return a function that evaluates a file of boxes or masks, with the classes of mmdet and the tested images."""
    from hrnet_plugin.evaluation.coco_evaluation import run_evaluation
    known = {category['name'] for category in metric._coco_api.cats.values()}
    names = [name for name in metric.dataset_meta['classes'] if name in known]  # as in mmdet
    images = functools.cache(lambda: _subset_images(tested.datasets))  # the same for boxes and masks
    return lambda results, kind: run_evaluation(metric._coco_api, results, kind, names, images())


def _keypoint_evaluator(metric: BaseMetric) -> _Evaluate:
    """Return a function that evaluates a file of keypoints on all images of the annotations, as mmpose does."""
    from pycocotools.coco import COCO

    from hrnet_plugin.evaluation.coco_evaluation import run_evaluation

    def evaluate(results: Path, kind: str) -> ArrayEvaluation:
        truth = COCO()  # mmpose has one of xtcocotools
        truth.dataset = copy.deepcopy(metric.coco.dataset)
        with contextlib.redirect_stdout(io.StringIO()):
            truth.createIndex()
        return run_evaluation(truth, results, kind, sigmas=list(map(float, metric.dataset_meta['sigmas'])))
    return evaluate


def is_subset(dataset: BaseDataset) -> bool:
    """Return True if ``indices`` of the dataset selects a subset."""
    return getattr(dataset, '_indices', None) is not None


def _subset_images(datasets: Sequence[BaseDataset]) -> set[int] | None:
    """Return the image IDs of datasets of which one is a subset, or None for complete datasets."""
    if not any(map(is_subset, datasets)):
        return None
    return {dataset.get_data_info(k)['img_id'] for dataset in datasets for k in range(len(dataset))}


def truth_of(metric: BaseMetric) -> Any:
    """Return the ``COCO`` object of an evaluator of mmdet or mmpose, or None."""
    return getattr(metric, '_coco_api', None) or getattr(metric, 'coco', None)


def _datasets_of(metric: BaseMetric, runner: Runner) -> Sequence[BaseDataset]:
    return next(tested.datasets for tested in evaluated_datasets(runner) if metric in tested.evaluators)


def _evaluated_images(metric: BaseMetric, datasets: Sequence[BaseDataset]) -> Collection[int]:
    """Return the IDs of the images that the record evaluates. Empty if they are unknown."""
    truth = truth_of(metric)
    try:
        subset = _subset_images(datasets)
    except KeyError:  # a dataset without image IDs
        return ()
    return subset or (() if truth is None else truth.imgs)

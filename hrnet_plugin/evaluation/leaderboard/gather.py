"""A record of the test that a runner has just made."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.runner import Runner

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.checkpoints.addresses import digest
from hrnet_plugin.evaluation.environment import describe
from hrnet_plugin.evaluation.leaderboard.data_facts import describe_data, innermost
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.metrics import named
from hrnet_plugin.evaluation.leaderboard.model_facts import count, describe_model
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.hosts import host_of_config

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_WHERE = ('work_dir', 'load_from', 'resume', 'launcher', 'log_level', 'log_processor', 'visualizer', 'vis_backends',
          'default_hooks', 'env_cfg')
_OWN_HOOKS = ('hrnet_plugin.RecordHook', 'hrnet_plugin.CompleteLoadHook')  # which the test tool adds


def keep_detections(runner: Runner) -> None:
    """Have mmdet's evaluators write the detections into the run's folder, unless the config names another place."""
    evaluator = runner.test_loop.evaluator
    for number, metric in enumerate(host_of_config(runner.cfg).coco_metrics(evaluator)):
        if metric.outfile_prefix is None:
            metric.outfile_prefix = str(Path(runner.log_dir) / f'results{number or ""}')


def about_model(config: Config, data: str, note: str = '') -> tuple[ModelFacts, Cost]:
    """Describe and count the model of a config, tested with augmentation or without.

    Args:
        config: Config of any host.
        data: Name of the dataset, at whose image size published rows were counted.
        note: What distinguishes the model from others with the same names.

    Raises:
        ValueError: The config is of no host.
    """
    if 'module' in config.model:
        config = copy.deepcopy(config)
        config.model = config.model.module
    return describe_model(config, note), count(config, data)


def about_data(runner: Runner) -> DataFacts:
    """What a runner tests."""
    dataset = innermost(runner.test_dataloader.dataset)
    truth = _truth(runner)
    ids = [] if truth is None else truth.imgs
    # a data set may be made of persons; its images are those of the annotations, unless it is cut
    images = len(ids) if truth is not None and not _is_cut(dataset) else None
    return describe_data(host_of_config(runner.cfg).task, dataset, images, ids)


def test_note(runner: Runner) -> str:
    """Return a remark on a test that is not comparable with published ones, or an empty string."""
    return host_of_config(runner.cfg).test_note(innermost(runner.test_dataloader.dataset))


def gather(runner: Runner, metrics: Mapping[str, float], data: DataFacts, model: ModelFacts, cost: Cost,
           ms: float | None) -> Record:
    """Return the record of a test.

    Args:
        runner: mmengine's runner after the test.
        metrics: Result of the evaluators.
        data: Result of :func:`about_data`.
        model: Result of :func:`about_model`.
        cost: Result of :func:`about_model`.
        ms: Milliseconds per image, or None.
    """
    config, task = runner.cfg, host_of_config(runner.cfg).task
    evaluated, classes = _evaluate_again(runner)
    scores = Scores(metrics=named(task, metrics) | evaluated, classes=classes)
    checkpoint = str(getattr(runner, '_load_from', None) or '').removeprefix(SCHEME)
    return assemble(config, data, scores, model, cost, _conditions(runner, ms), checkpoint)


def assemble(config: Config, data: DataFacts, scores: Scores, model: ModelFacts, cost: Cost, conditions: Conditions,
             checkpoint: str) -> Record:
    """Return a record with the digests of config and checkpoint.

    Args:
        config: Tested config.
        data: Evaluated dataset.
        scores: Metrics and classes.
        model: Description of the model.
        cost: Its parameters and operations.
        conditions: How it was tested.
        checkpoint: Address of the checkpoint, or empty.
    """
    return Record(
        task=host_of_config(config).task, config=Path(config.filename or 'config').stem, data=data, scores=scores,
        model=model, cost=cost, conditions=conditions, config_text=config.pretty_text,
        config_sha256=config_digest(config), checkpoint=checkpoint, checkpoint_sha256=file_digest(checkpoint))


def augmentation(config: Config) -> str:
    """How a prediction is averaged: 'scales, flip', 'flip', or nothing.

    Published poses are averages of an image and its mirror image, and their rows do not say so; one that is not has
    'no flip'.
    """
    if 'module' in config.model:
        pipeline = config.get('tta_pipeline') or []
        choices = [choice for step in pipeline if step['type'] == 'TestTimeAug' for choice in step['transforms']]
        scales = max((len(choice) for choice in choices if choice[0]['type'] == 'Resize'), default=1)
        return 'scales, flip' if scales > 1 else 'flip'
    return host_of_config(config).test_augmentation(config)


def config_digest(config: Config) -> str:
    """SHA-256 of a config's entries but those that say where and with what logs it is run."""
    entries = {key: value for key, value in config.to_dict().items() if key not in _WHERE}
    hooks = [hook for hook in entries.get('custom_hooks') or [] if hook['type'] not in _OWN_HOOKS]
    entries['custom_hooks'] = hooks
    return hashlib.sha256(json.dumps(entries, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: str) -> str:
    """SHA-256 of a file, empty if it is not here."""
    return digest(Path(path)) if path and Path(path).is_file() else ''


def _conditions(runner: Runner, ms: float | None) -> Conditions:
    on_gpu = torch.cuda.is_available()
    versions = describe('cuda' if on_gpu else 'cpu')
    machine = versions.get('gpu') or f'{versions["processor"]}, {versions["threads"]} threads'
    peak = torch.cuda.max_memory_allocated() if on_gpu else _peak_of_process()
    return Conditions(
        test=augmentation(runner.cfg), ms=ms, memory=None if peak is None else peak / 1e9,
        batch=runner.test_dataloader.batch_size or 1, machine=f'{machine}, torch {versions["torch"]}',
        versions=versions, pictures=_pictures(runner.cfg, runner))


def _peak_of_process() -> int | None:
    """Bytes; None on systems that do not say."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def _truth(runner: Runner) -> Any:
    """What the COCO API has read of the annotations for an evaluator of mmdet or mmpose, or None."""
    found = [getattr(metric, '_coco_api', None) or getattr(metric, 'coco', None)
             for metric in runner.test_loop.evaluator.metrics]
    return next((truth for truth in found if truth is not None), None)


def _is_cut(dataset: BaseDataset) -> bool:
    """Whether a data set is cut by its ``indices``."""
    return getattr(dataset, '_indices', None) is not None


def _left_images(dataset: BaseDataset) -> set[int] | None:
    """Numbers of the images in a data set that is cut; None if it is whole."""
    return {dataset.get_data_info(k)['img_id'] for k in range(len(dataset))} if _is_cut(dataset) else None


def _evaluate_again(runner: Runner) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]]]:
    """Metrics and classes by the COCO API, of what mmdet's evaluator has written; none, and a warning, if it cannot."""
    metrics: dict[str, float | None] = {}
    classes: dict[str, dict[str, float | None]] = {}
    evaluators = [metric for metric in host_of_config(runner.cfg).coco_metrics(runner.test_loop.evaluator)
                  if not metric.format_only]
    if len(evaluators) != 1:  # of several, which one?
        return metrics, classes
    metric, = evaluators
    from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections  # of what mmdet needs
    known = {category['name'] for category in metric._coco_api.cats.values()}
    names = [name for name in metric.dataset_meta['classes'] if name in known]  # mmdet leaves out the others, too
    dataset = innermost(runner.test_dataloader.dataset)
    for kind in ('bbox', 'segm'):
        results = Path(f'{metric.outfile_prefix}.{kind}.json')
        if kind not in metric.metrics or not results.is_file():
            continue
        try:
            found = evaluate_detections(metric._coco_api, results, kind, names, _left_images(dataset))
        except Exception as error:  # the host's figures are there, and its test may have taken hours
            print_log(f'the leaderboard has {kind} as mmdet rounds it: {error!r}', logger='current',
                      level=logging.WARNING)
            continue
        metrics.update(found.metrics)
        classes['AP' if kind == 'bbox' else 'mask AP'] = dict(found.classes)
    return metrics, classes


def _pictures(config: Config, runner: Runner) -> str:
    """Return the folder of the visualizations that the test saved, or an empty string."""
    places = host_of_config(config).drawn_folders(config, Path(runner.log_dir))
    return next((str(place.resolve()) for place in places if place.is_dir()), '')

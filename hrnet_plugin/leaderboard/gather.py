"""A record of the test that a runner has just made."""

from __future__ import annotations

import copy
import hashlib
import json
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.leaderboard.data_facts import DataFacts, describe_data
from hrnet_plugin.leaderboard.metrics import named
from hrnet_plugin.leaderboard.model_facts import count, describe_model, task_of
from hrnet_plugin.leaderboard.record import Record

# What says where and with what a config is run, and not what is run
_CIRCUMSTANCES = ('work_dir', 'load_from', 'resume', 'launcher', 'log_level', 'log_processor', 'visualizer',
                  'vis_backends', 'default_hooks', 'custom_hooks', 'env_cfg')


def keep_detections(runner: Any) -> None:
    """Have mmdet's evaluators write the detections into the run's folder, unless the config names another place."""
    for metric in _coco_metrics(runner):
        if metric.outfile_prefix is None:
            metric.outfile_prefix = str(Path(runner.log_dir) / 'results')


def gather(runner: Any, metrics: Mapping[str, float], note: str = '', ms: float | None = None) -> Record:
    """The record of a test.

    Args:
        runner: mmengine's, after the test.
        metrics: What the evaluators found.
        note: As in :class:`~hrnet_plugin.leaderboard.entry.Entry`.
        ms: Milliseconds for an image.
    """
    config, task = runner.cfg, task_of(runner.cfg)
    evaluated, classes = _evaluate_again(runner)
    data = describe_data(task, runner.test_dataloader.dataset, _images(runner))
    checkpoint = str(getattr(runner, '_load_from', None) or '').removeprefix(SCHEME)
    facts = {**circumstances(ms), **_manner(config, runner, note)}
    return assemble(config, data, named(task, metrics) | evaluated, classes, facts, checkpoint)


def assemble(config: Config, data: DataFacts, metrics: Mapping[str, float | None],
             classes: Mapping[str, Mapping[str, float | None]], facts: Mapping[str, Any], checkpoint: str) -> Record:
    """A record, with what the config says of its model and the digests of config and checkpoint.

    Args:
        config: That was tested.
        data: What it was tested on.
        metrics, classes: What was found.
        facts: What else is known.
        checkpoint: Address of the weights, or empty.
    """
    bare = _without_augmentation(config)
    return Record(
        task=task_of(config), config=Path(config.filename or 'config').stem, data=data.data, split=data.split,
        images=data.images, whole=data.whole, metrics=metrics, classes=classes,
        facts={**describe_model(bare), **count(bare), **facts}, config_text=config.pretty_text,
        config_sha256=config_digest(config), checkpoint=checkpoint, checkpoint_sha256=file_digest(checkpoint))


def config_digest(config: Config) -> str:
    """SHA-256 of what a config runs, wherever and with whatever hooks and loggers it is run."""
    entries = {key: value for key, value in config.to_dict().items() if key not in _CIRCUMSTANCES}
    return hashlib.sha256(json.dumps(entries, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: str) -> str:
    """SHA-256 of a file, empty if it is not here."""
    if not path or not Path(path).is_file():
        return ''
    with open(path, 'rb') as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def circumstances(ms: float | None) -> dict[str, Any]:
    """The facts 'ms', 'memory' (GB), 'machine' and 'versions'."""
    from hrnet_plugin.benchmarking.machine import describe
    on_gpu = torch.cuda.is_available()
    versions = describe('cuda' if on_gpu else 'cpu')
    machine = versions.get('gpu') or f'{versions["processor"]}, {versions["threads"]} threads'
    peak = torch.cuda.max_memory_allocated() if on_gpu else (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024))
    return dict(ms=ms, memory=peak / 1e9, machine=f'{machine}, torch {versions["torch"]}', versions=versions)


def _coco_metrics(runner: Any) -> list[Any]:
    return [metric for metric in runner.test_loop.evaluator.metrics
            if type(metric).__name__ == 'CocoMetric' and hasattr(metric, 'proposal_nums')]  # mmdet's, not mmpose's


def _evaluate_again(runner: Any) -> tuple[dict[str, float | None], dict[str, dict[str, float | None]]]:
    """Metrics and classes by the COCO API, of what mmdet's evaluators have written."""
    metrics: dict[str, float | None] = {}
    classes: dict[str, dict[str, float | None]] = {}
    for metric in _coco_metrics(runner):
        for kind in ('bbox', 'segm'):
            results = Path(f'{metric.outfile_prefix}.{kind}.json')
            if metric.format_only or kind not in metric.metrics or not results.is_file():
                continue
            from hrnet_plugin.leaderboard.coco_evaluation import evaluate_detections  # of what mmdet needs
            found = evaluate_detections(metric._coco_api, results, kind, metric.dataset_meta['classes'])
            metrics.update(found.metrics)
            classes['AP' if kind == 'bbox' else 'mask AP'] = dict(found.classes)
    return metrics, classes


def _images(runner: Any) -> int | None:
    """How many images were evaluated if the data set's length does not say so: it may be made of persons."""
    dataset = runner.test_dataloader.dataset
    if getattr(dataset, '_indices', None) is not None:
        return None
    truths = [metric.coco for metric in runner.test_loop.evaluator.metrics if getattr(metric, 'coco', None) is not None]
    return len(truths[0].imgs) if truths else None


def _manner(config: Config, runner: Any, note: str) -> dict[str, Any]:
    """The facts 'note', 'test' and 'pictures'."""
    hook = config.get('default_hooks', {}).get('visualization') or {}
    drawn = hook.get('test_out_dir') or hook.get('out_dir')
    folder = Path(runner.log_dir) / drawn if drawn else None
    pictures = str(folder.resolve()) if folder is not None and folder.is_dir() else ''
    return dict(note=note, test=_augmentation(config), pictures=pictures)


def _augmentation(config: Config) -> str:
    """Of what images a prediction is averaged; poses always of an image and its mirror image, as in published rows."""
    if 'module' not in config.model:
        return ''
    pipeline = config.get('tta_pipeline') or []
    choices = [choice for step in pipeline if step['type'] == 'TestTimeAug' for choice in step['transforms']]
    scales = max((len(choice) for choice in choices if choice[0]['type'] == 'Resize'), default=1)
    return 'scales, flip' if scales > 1 else 'flip'


def _without_augmentation(config: Config) -> Config:
    if 'module' not in config.model:
        return config
    config = copy.deepcopy(config)
    config.model = config.model.module
    return config

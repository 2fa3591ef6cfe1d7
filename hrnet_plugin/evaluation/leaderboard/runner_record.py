"""Record of the test of an mmengine runner."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.checkpoints.addresses import digest
from hrnet_plugin.evaluation.environment import describe
from hrnet_plugin.evaluation.leaderboard.data_facts import combine_data, describe_data
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import EvaluatedDataset
from hrnet_plugin.evaluation.leaderboard.exact_metrics import evaluate_again, is_subset, truth_of
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.metrics import rename_metrics
from hrnet_plugin.evaluation.leaderboard.model_facts import count_cost, describe_model
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.hosts import host_of_config

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_RUN_ENTRIES = ('work_dir', 'load_from', 'resume', 'launcher', 'log_level', 'log_processor', 'visualizer',
                'vis_backends', 'default_hooks', 'env_cfg')
# added by the test tool
_PLUGIN_HOOKS = ('hrnet_plugin.RecordHook', 'hrnet_plugin.CompleteLoadHook', 'hrnet_plugin.DataCheckHook',
                 'hrnet_plugin.ProcessLogHook')


def describe_tested_model(config: Config, data: str, note: str = '') -> tuple[ModelFacts, Cost]:
    """Describe and count the model of a config, with or without test-time augmentation.

    Args:
        config: Config of any host.
        data: Name of the dataset. It determines the image size of the count.
        note: Note that distinguishes the model from others with the same names.

    Raises:
        ValueError: If the config belongs to no host.
    """
    if 'module' in config.model:
        config = copy.deepcopy(config)
        config.model = config.model.module
    return describe_model(config, note), count_cost(config, data)


def describe_tested_data(runner: Runner, tested: EvaluatedDataset) -> DataFacts:
    """Describe a dataset that a runner tests."""
    task = host_of_config(runner.cfg).task
    truth = next((found for found in map(truth_of, tested.evaluators) if found is not None), None)
    ids = [] if truth is None else truth.imgs
    if len(tested.datasets) > 1:
        return combine_data([describe_data(task, dataset, ids=ids) for dataset in tested.datasets])
    dataset, = tested.datasets
    # items may be persons: count the images of the annotations, unless ``indices`` selects some
    images = len(ids) if truth is not None and not is_subset(dataset) else None
    return describe_data(task, dataset, images, ids)


def test_note(runner: Runner, tested: EvaluatedDataset) -> str:
    """Return a note on a test that is not comparable with published ones, or an empty string."""
    notes = (host_of_config(runner.cfg).test_note(dataset) for dataset in tested.datasets)
    return ', '.join(dict.fromkeys(filter(None, notes)))


def make_test_record(runner: Runner, metrics: Mapping[str, Any], tested: EvaluatedDataset, data: DataFacts,
                     model: ModelFacts, cost: Cost, ms: float | None) -> Record:
    """Return the record of the test of one dataset.

    Args:
        runner: Runner after the test.
        metrics: Metrics of the dataset, with the keys of a test of this dataset only.
        tested: Tested dataset.
        data: Result of :func:`describe_tested_data`.
        model: Result of :func:`describe_tested_model`.
        cost: Result of :func:`describe_tested_model`.
        ms: Milliseconds per image, or None.
    """
    config, task = runner.cfg, host_of_config(runner.cfg).task
    exact = evaluate_again(runner, tested)
    scores = Scores(metrics={**rename_metrics(task, metrics), **exact.scores.metrics}, classes=exact.scores.classes)
    checkpoint = str(getattr(runner, '_load_from', None) or '').removeprefix(SCHEME)
    return make_record(config, data, scores, model, cost, _conditions(runner, ms, exact.analysis), checkpoint)


def make_record(config: Config, data: DataFacts, scores: Scores, model: ModelFacts, cost: Cost, conditions: Conditions,
             checkpoint: str) -> Record:
    """Create a record with the SHA-256 of config and checkpoint.

    Args:
        config: Tested config.
        data: Evaluated dataset.
        scores: Metrics and classes.
        model: Description of the model.
        cost: Parameters and operations of the model.
        conditions: Test conditions.
        checkpoint: Path or URL of the checkpoint, or empty.
    """
    return Record(
        task=host_of_config(config).task, config=Path(config.filename or 'config').stem, data=data, scores=scores,
        model=model, cost=cost, conditions=conditions, config_text=config.pretty_text,
        config_sha256=config_digest(config), checkpoint=checkpoint, checkpoint_sha256=file_digest(checkpoint))


def augmentation(config: Config) -> str:
    """Return the test-time augmentation: 'scales, flip', 'flip', 'no flip', or an empty string for the default.

    Published pose rows average an image and its mirror image without a label. A pose model without that has 'no flip'.
    """
    if 'module' in config.model:
        pipeline = config.get('tta_pipeline') or []
        choices = [choice for step in pipeline if step['type'] == 'TestTimeAug' for choice in step['transforms']]
        scales = max((len(choice) for choice in choices if choice[0]['type'] == 'Resize'), default=1)
        return 'scales, flip' if scales > 1 else 'flip'
    return host_of_config(config).test_augmentation(config)


def config_digest(config: Config) -> str:
    """Compute the SHA-256 of a config without its entries for paths, logging and environment."""
    entries = {key: value for key, value in config.to_dict().items() if key not in _RUN_ENTRIES}
    hooks = [hook for hook in entries.get('custom_hooks') or [] if hook['type'] not in _PLUGIN_HOOKS]
    entries['custom_hooks'] = hooks
    return hashlib.sha256(json.dumps(entries, sort_keys=True, default=str).encode()).hexdigest()


def file_digest(path: str) -> str:
    """Compute the SHA-256 of a file, or return an empty string if it is not a local file."""
    return digest(Path(path)) if path and Path(path).is_file() else ''


def _conditions(runner: Runner, ms: float | None, analysis: str) -> Conditions:
    on_gpu = torch.cuda.is_available()
    versions = describe('cuda' if on_gpu else 'cpu')
    machine = versions.get('gpu') or f'{versions["processor"]}, {versions["threads"]} threads'
    peak = torch.cuda.max_memory_allocated() if on_gpu else _peak_of_process()
    return Conditions(
        test=augmentation(runner.cfg), ms=ms, memory=None if peak is None else peak / 1e9,
        batch=runner.test_dataloader.batch_size or 1, machine=f'{machine}, torch {versions["torch"]}',
        versions=versions, pictures=_visualizations_folder(runner.cfg, runner), analysis=analysis)


def _peak_of_process() -> int | None:
    """Return the peak memory of this process in bytes, or None on Windows."""
    if resource is None:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def _visualizations_folder(config: Config, runner: Runner) -> str:
    """Return the folder of the visualizations that the test saved, or an empty string."""
    places = host_of_config(config).visualization_folders(config, Path(runner.log_dir))
    return next((str(place.resolve()) for place in places if place.is_dir()), '')

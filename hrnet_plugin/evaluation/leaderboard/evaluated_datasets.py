"""Datasets of a test, each with its evaluators and its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.registry import METRICS
from mmengine.runner import Runner

from hrnet_plugin.hosts import Host, host_of_config, type_name

_Value = TypeVar('_Value')


@dataclass(frozen=True, kw_only=True)
class KeyPrefix:
    """Prefix of the keys of one dataset's metrics in the log of a test.

    Attributes:
        logged: Prefix in the log, e.g. 'val_a/coco'. Empty if the keys have none.
        default: Default prefix of the evaluator, which replaces it in records, e.g. 'coco'.
    """

    logged: str = ''
    default: str = ''

    def select(self, metrics: Mapping[str, _Value], prefixes: Sequence[KeyPrefix]) -> dict[str, _Value]:
        """Return the metrics of the dataset, with the keys of a test of this dataset only.

        Args:
            metrics: Metrics of the test.
            prefixes: Prefixes of all datasets. A dataset without one gets the metrics that have none of them.
        """
        start, default = self.logged and f'{self.logged}/', self.default and f'{self.default}/'
        taken = tuple(f'{prefix.logged}/' for prefix in prefixes if not start and prefix.logged)
        return {default + key.removeprefix(start): value for key, value in metrics.items()
                if key.startswith(start) and not (taken and key.startswith(taken))}


@dataclass(frozen=True, kw_only=True)
class EvaluatedDataset:
    """Dataset of a test.

    Attributes:
        datasets: Datasets without wrappers. Several if the evaluators get the results on all of them.
        evaluators: Evaluators of these datasets.
        prefix: Prefix of their metrics.
    """

    datasets: tuple[BaseDataset, ...]
    evaluators: tuple[BaseMetric, ...]
    prefix: KeyPrefix = KeyPrefix()


def evaluated_datasets(runner: Runner) -> list[EvaluatedDataset]:
    """Return the datasets that a runner tests.

    There are several with ``MultiDatasetsEvaluator`` of mmdet or ``MultiDatasetEvaluator`` of mmpose. Any other
    evaluator gets the results on all concatenated datasets.

    Raises:
        ValueError: If ``MultiDatasetsEvaluator`` has not one evaluator and one prefix for each dataset.
    """
    host, evaluator = host_of_config(runner.cfg), runner.test_loop.evaluator
    dataset = runner.test_dataloader.dataset
    pairs = list(_pairs(evaluator, dataset))
    if not pairs:
        return [EvaluatedDataset(datasets=tuple(inner_datasets(dataset)), evaluators=tuple(evaluator.metrics))]
    return [EvaluatedDataset(datasets=tuple(datasets), evaluators=(metric, ),
                             prefix=_prefix(host, outer, type(metric), metric.prefix))
            for outer, datasets, metric in pairs]


def logged_prefixes(config: Config) -> list[KeyPrefix]:
    """Return the prefixes of the datasets that a config tests, in the order of its evaluators.

    Args:
        config: Config of any host.

    Raises:
        ValueError: If ``MultiDatasetsEvaluator`` has not one prefix for each evaluator.
    """
    evaluator = config.get('test_evaluator') or {}
    kind = type_name(evaluator.get('type', '')) if isinstance(evaluator, Mapping) else ''
    if kind not in ('MultiDatasetsEvaluator', 'MultiDatasetEvaluator'):
        return [KeyPrefix()]
    metrics = evaluator['metrics']
    metrics = [metrics] if isinstance(metrics, Mapping) else metrics
    outers = evaluator.get('dataset_prefixes') or [''] * len(metrics)
    _check_numbers(prefixes=outers, metrics=metrics)
    host = host_of_config(config)
    return [_prefix(host, outer, metric['type'], metric.get('prefix')) for outer, metric in zip(outers, metrics)]


def inner_datasets(dataset: BaseDataset) -> Iterator[BaseDataset]:
    """Yield the innermost datasets of wrappers such as ``RepeatDataset`` and ``ConcatDataset``, in order."""
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from inner_datasets(part)
    elif hasattr(dataset, 'dataset'):
        yield from inner_datasets(dataset.dataset)
    else:
        yield dataset


def _pairs(evaluator: Evaluator,
           dataset: BaseDataset) -> Iterator[tuple[str, Sequence[BaseDataset], BaseMetric]]:
    """Yield dataset prefix, datasets without wrappers, and evaluator if evaluators get the results on parts of a test.

    Args:
        evaluator: Evaluator of the test.
        dataset: Dataset of the test.
    """
    if hasattr(evaluator, 'dataset_prefixes'):  # mmdet
        prefixes, datasets, metrics = evaluator.dataset_prefixes, _concatenated(dataset), evaluator.metrics
        _check_numbers(prefixes=prefixes, datasets=datasets, metrics=metrics)
        for outer, part, metric in zip(prefixes, datasets, metrics):
            yield outer, list(inner_datasets(part)), metric
    elif hasattr(evaluator, 'metrics_dict'):  # mmpose
        inner = list(inner_datasets(dataset))
        for name, metric in evaluator.metrics_dict.items():
            named = [each for each in inner if each.metainfo['dataset_name'] == name]
            if named:
                yield '', named, metric


def _concatenated(dataset: BaseDataset) -> Sequence[BaseDataset]:
    """Return the datasets of the outermost concatenation, or the dataset itself without one."""
    while not hasattr(dataset, 'datasets') and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return getattr(dataset, 'datasets', [dataset])


def _check_numbers(**entries: Sequence[object]) -> None:
    if len({len(entry) for entry in entries.values()}) > 1:
        numbers = ', '.join(f'{len(entry)} {name}' for name, entry in entries.items())
        raise ValueError('MultiDatasetsEvaluator must have one prefix and one metric for each dataset of the outer '
                         f'ConcatDataset, got {numbers}. Correct dataset_prefixes and metrics of test_evaluator.')


def _prefix(host: Host, outer: str, evaluator: str | type, prefix: str | None) -> KeyPrefix:
    """Return the prefix of an evaluator.

    Args:
        host: Host of the config.
        outer: Prefix of the dataset, or empty.
        evaluator: Type of the evaluator, or its name in a config.
        prefix: Configured prefix.
    """
    name = type_name(evaluator)
    known = [metric.prefix for metric in host.metrics if name in metric.evaluators]
    default = known[0] if known else _default_prefix(evaluator, host.name) or prefix or ''
    return KeyPrefix(logged='/'.join(filter(None, (outer, prefix or default))), default=default)


def _default_prefix(evaluator: str | type, scope: str) -> str | None:
    """Return the ``default_prefix`` of an evaluator that no host lists, or None if it is unknown."""
    if isinstance(evaluator, str):
        with METRICS.switch_scope_and_registry(scope) as registry:
            return getattr(registry.get(evaluator), 'default_prefix', None)
    return getattr(evaluator, 'default_prefix', None)

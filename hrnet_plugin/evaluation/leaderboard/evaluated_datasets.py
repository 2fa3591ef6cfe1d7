"""Datasets of a test, each with its evaluators and its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric, Evaluator
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
    """
    host, evaluator = host_of_config(runner.cfg), runner.test_loop.evaluator
    datasets = tuple(inner_datasets(runner.test_dataloader.dataset))
    pairs = list(_pairs(evaluator, datasets))
    if not pairs:
        return [EvaluatedDataset(datasets=datasets, evaluators=tuple(evaluator.metrics))]
    return [EvaluatedDataset(datasets=(dataset, ), evaluators=(metric, ),
                          prefix=_prefix(host, outer, type(metric).__name__, metric.prefix))
            for outer, dataset, metric in pairs]


def logged_prefixes(config: Config) -> list[KeyPrefix]:
    """Return the prefixes of the datasets that a config tests, in the order of its evaluators.

    Args:
        config: Config of any host.
    """
    evaluator = config.get('test_evaluator') or {}
    kind = type_name(evaluator.get('type', '')) if isinstance(evaluator, Mapping) else ''
    if kind not in ('MultiDatasetsEvaluator', 'MultiDatasetEvaluator'):
        return [KeyPrefix()]
    metrics = evaluator['metrics']
    metrics = [metrics] if isinstance(metrics, Mapping) else metrics
    outers = evaluator.get('dataset_prefixes') or [''] * len(metrics)
    host = host_of_config(config)
    return [_prefix(host, outer, type_name(metric['type']), metric.get('prefix'))
            for outer, metric in zip(outers, metrics)]


def inner_datasets(dataset: BaseDataset) -> Iterator[BaseDataset]:
    """Yield the innermost datasets of wrappers such as ``RepeatDataset`` and ``ConcatDataset``, in order."""
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from inner_datasets(part)
    elif hasattr(dataset, 'dataset'):
        yield from inner_datasets(dataset.dataset)
    else:
        yield dataset


def _pairs(evaluator: Evaluator, datasets: Sequence[BaseDataset]) -> Iterator[tuple[str, BaseDataset, BaseMetric]]:
    """Yield dataset prefix, dataset and evaluator if each dataset has an evaluator of its own."""
    if hasattr(evaluator, 'dataset_prefixes'):  # mmdet
        yield from zip(evaluator.dataset_prefixes, datasets, evaluator.metrics)
    elif hasattr(evaluator, 'metrics_dict'):  # mmpose
        by_name = {dataset.metainfo['dataset_name']: dataset for dataset in datasets}
        for name, metric in evaluator.metrics_dict.items():
            if name in by_name:
                yield '', by_name[name], metric


def _prefix(host: Host, outer: str, evaluator: str, prefix: str | None) -> KeyPrefix:
    default = next((metric.prefix for metric in host.metrics if evaluator in metric.evaluators), prefix or '')
    return KeyPrefix(logged='/'.join(filter(None, (outer, prefix or default))), default=default)

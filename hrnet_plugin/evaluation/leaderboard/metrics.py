"""Names, units and directions of metrics in records and rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
from torch import Tensor

from hrnet_plugin.hosts import HOSTS, Metric, host_of_task
from hrnet_plugin.hosts.metric_lookup import find_logged, find_named, find_stored

#: Task -> metrics that published tables show. Rows are ranked by the first one that they have.
METRICS = {host.task: tuple(metric.name for metric in host.metrics if metric.is_renamed and metric.is_shown)
           for host in HOSTS.values()}


def rename_metrics(task: str, metrics: Mapping[str, object]) -> dict[str, float | None]:
    """Return logged metrics with the keys of records. Those of published tables are renamed, and others keep their key.

    Args:
        task: Task of the model.
        metrics: Key -> value. Undefined values (-1 of the COCO API) and non-finite values become None. Values in
            nested mappings get the key 'outer/inner'. Other values that are not one number are left out.
    """
    host, numbers = host_of_task(task), dict(_numbers(metrics))
    renamed = {}
    for key, value in numbers.items():
        metric = find_logged(host.metrics, key, numbers)
        is_published = metric.is_renamed and metric.key == key and metric.name not in numbers.keys() - {key}
        renamed[metric.name if is_published else key] = value if metric.is_defined(value) else None
    return renamed


def logged_metrics(task: str, keys: Sequence[str]) -> dict[str, Metric]:
    """Return the metrics of an evaluation in the order of tables, with unique names.

    Args:
        task: Task of the model.
        keys: Keys in the logs. For records, use :func:`shown_metrics`.
    """
    found = {key: find_logged(host_of_task(task).metrics, key, keys) for key in keys}
    return _with_unique_names(dict(sorted(found.items(), key=lambda pair: _place(task, pair[1]))))


def shown_metrics(task: str, stored: Mapping[str, float | None]) -> dict[str, float]:
    """Return the defined metrics of a record with their names and in the units of tables.

    Args:
        task: Task of the model.
        stored: Key in the record -> value in the evaluator's unit, or None.
    """
    found = _stored_metrics(task, tuple(stored))
    return {found[key].name: found[key].show(value) for key, value in stored.items() if value is not None}


@lru_cache(maxsize=1024)  # keys of the records of a store, which are mostly the same
def _stored_metrics(task: str, keys: tuple[str, ...]) -> Mapping[str, Metric]:
    return _with_unique_names({key: find_stored(host_of_task(task).metrics, key, keys) for key in keys})


@cache
def named_metric(task: str, name: str) -> Metric:
    """Return the metric of a name in tables.

    Args:
        task: Task of the model.
        name: Name as :func:`shown_metrics` returns it.
    """
    return find_named(host_of_task(task).metrics, name)


def sort_names(task: str, names: Iterable[str]) -> list[str]:
    """Sort names in tables: in the order of the host's metrics, then unknown ones by name."""
    return sorted(names, key=lambda name: (_place(task, named_metric(task, name)), name))


def _place(task: str, metric: Metric) -> int:
    places = _places(task)
    return places.get((metric.key, metric.evaluators), len(places))


@cache
def _places(task: str) -> Mapping[tuple[str, tuple[str, ...]], int]:
    return {(metric.key, metric.evaluators): place for place, metric in enumerate(host_of_task(task).metrics)}


def _numbers(metrics: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            yield from ((f'{key}/{inner}', number) for inner, number in _numbers(value))
        elif (number := _number(value)) is not None:
            yield key, number


def _number(value: object) -> float | None:
    """Return a number, or the value of an array or tensor with one element, as float, or None."""
    if isinstance(value, (np.ndarray, np.generic, Tensor)):
        value = value.item() if np.prod(value.shape) == 1 else None
    return float(value) if isinstance(value, (int, float)) else None


def _with_unique_names(found: Mapping[str, Metric]) -> dict[str, Metric]:
    """Replace a name by the key, where several keys have the same name."""
    counts = Counter(metric.name for metric in found.values())
    return {key: metric if counts[metric.name] == 1 else replace(metric, name=key) for key, metric in found.items()}

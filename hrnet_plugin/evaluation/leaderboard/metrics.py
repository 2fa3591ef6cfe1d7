"""Names, units and directions of metrics."""

from __future__ import annotations

import math

import numpy as np

from hrnet_plugin.hosts import HOSTS, host_of_task
from hrnet_plugin.json_types import JsonObject

#: Task -> metrics that tables show. Rows are ranked by the first one that they have.
METRICS = {host.task: tuple(metric.name for metric in host.metrics if metric.is_shown) for host in HOSTS.values()}


def rename_metrics(task: str, metrics: JsonObject) -> dict[str, float | None]:
    """Rename a host's metrics as in published tables. Unknown metrics keep their keys.

    Args:
        task: Task of the model.
        metrics: Key -> value. Undefined values (-1 of the COCO API) and non-finite values become None. Non-numeric
            values are left out.
    """
    names = {metric.key: metric.name for metric in host_of_task(task).metrics if metric.is_in(metrics)}
    numbers = {names.get(key, key): float(value) for key, value in metrics.items()
               if isinstance(value, (int, float, np.number))}
    return {name: value if math.isfinite(value) and value >= 0 else None for name, value in numbers.items()}


def lower_is_better(name: str) -> bool:
    """Return True if a lower value of a metric is better, as for errors. Return False for unknown metrics.

    Args:
        name: Name as :func:`rename_metrics` returns it, with or without a prefix, e.g. 'crowd_human/mMR'.
    """
    last = name.rpartition('/')[2].partition('@')[0]
    return any(host.is_error(last) for host in HOSTS.values())


def in_percent(task: str, name: str, value: float) -> float:
    """Convert a metric of a record to percent. Unknown metrics keep their unit.

    Args:
        task: Task of the model.
        name: Name of the metric.
        value: Value in the unit of the evaluator.
    """
    known = {metric.name: metric for metric in host_of_task(task).metrics}
    return known[name].in_percent(value) if name in known else value

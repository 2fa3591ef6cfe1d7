"""Metrics of training runs over their evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

from hrnet_plugin.evaluation.run_evaluations import read_evaluations, run_metrics
from hrnet_plugin.training.run_logs import read_scalars


@dataclass(frozen=True, kw_only=True)
class Trend:
    """Metrics of a training run over its evaluations.

    Attributes:
        name: Name of the work directory.
        unit: Unit of the steps.
        steps: Epochs or training iterations of the evaluations, increasing.
        values: Metric in the order of tables -> value at each step in the unit of tables. None if it is undefined.
        titles: Metric -> name with its unit, if that is not percent.
        lower: Metrics for which a lower value is better.
    """

    name: str
    unit: Literal['epoch', 'iteration']
    steps: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    titles: Mapping[str, str]
    lower: tuple[str, ...]


def read_trend(work_dir: Path) -> Trend:
    """Read the evaluations of the newest training run in a work directory, and of the runs that it has resumed.

    Metrics are those that ``hrnet report`` plots. Variants and values per class are left out unless there are no
    others.

    Args:
        work_dir: Work directory of mmengine's runner.

    Raises:
        FileNotFoundError: If the folder has no training run, or the run has no evaluation.
    """
    try:
        found = {evaluation.step: evaluation for evaluation in read_evaluations(read_scalars(work_dir))}
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{work_dir} must be the work directory of a training run with evaluations, got '
                                f'none: {error}') from None
    evaluations = [found[step] for step in sorted(found)]
    metrics = run_metrics(work_dir, evaluations)
    drawn = {key: metric for key, metric in metrics.items() if metric.is_drawn} or metrics
    shown = {metric.name: [one.shown(key, metric) for one in evaluations] for key, metric in drawn.items()}
    return Trend(
        name=work_dir.resolve().name,
        unit='iteration' if all(one.step == one.iteration for one in evaluations) else 'epoch',
        steps=tuple(one.step for one in evaluations),
        values={name: tuple(value if isfinite(value) else None for value in values) for name, values in shown.items()},
        titles={metric.name: metric.title for metric in drawn.values()},
        lower=tuple(metric.name for metric in drawn.values() if metric.direction == 'lower'))

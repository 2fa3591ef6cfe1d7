"""Plot of the loss and the metrics of a training run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from math import isfinite, nan
from pathlib import Path

import matplotlib as mpl

mpl.use('Agg')
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from mmengine.logging import print_log

from hrnet_plugin.escaping import escape_plot
from hrnet_plugin.evaluation.run_evaluations import RunEvaluation
from hrnet_plugin.hosts import Metric

_Panel = tuple[str, str]  # unit and direction
_MAX_METRICS = 20  # which may have a panel each
_LARGEST = 1e100  # matplotlib cannot draw an axis to larger numbers


def draw_curve(metrics: Mapping[str, Metric], evaluations: Sequence[RunEvaluation],
               records: Sequence[Mapping[str, float]], target: Path) -> None:
    """Draw the loss of each logged iteration, and the metrics of each evaluation, with one panel per unit.

    Args:
        metrics: Logged key -> metric. Variants of another metric are drawn only if there is no other.
        evaluations: Evaluations of the run.
        records: Logged scalars of the run.
        target: PNG file to write.
    """
    training = [record for record in records if 'loss' in record]
    panels = _panels(metrics)
    figure, axes = plt.subplots(len(panels), figsize=(7, 4 * len(panels)), layout='constrained', squeeze=False)
    for axis, chosen in zip(axes[:, 0], panels.values()):
        axis.plot([record['step'] for record in training], [_drawable(record['loss']) for record in training],
                  color='tab:gray')
        axis.set(xlabel='iteration', ylabel='training loss (gray)', ylim=(0, None))
        _draw_metrics(axis.twinx(), chosen, evaluations)
    figure.savefig(target, format='png', dpi=120)
    plt.close(figure)


def _panels(metrics: Mapping[str, Metric]) -> dict[_Panel, dict[str, Metric]]:
    drawn = {key: metric for key, metric in metrics.items() if metric.is_drawn} or metrics
    if len(drawn) > _MAX_METRICS:
        print_log(f'The curve has {_MAX_METRICS} of {len(drawn)} metrics. The tables have all', logger='current',
                  level=logging.WARNING)
    panels: dict[_Panel, dict[str, Metric]] = {}
    for key, metric in islice(drawn.items(), _MAX_METRICS):
        unit = metric.shown_unit or (key if metric.unit == 'unknown' else metric.unit)
        panels.setdefault((unit, metric.direction), {})[key] = metric
    return panels


def _draw_metrics(axis: Axes, metrics: Mapping[str, Metric], evaluations: Sequence[RunEvaluation]) -> None:
    steps = [evaluation.iteration for evaluation in evaluations]
    drawn: list[float] = []
    for number, (key, metric) in enumerate(metrics.items()):
        values = [_drawable(evaluation.shown(key, metric)) for evaluation in evaluations]
        axis.plot(steps, values, marker='o', label=escape_plot(metric.name), linewidth=1 if number else 2.5)
        drawn += filter(isfinite, values)
    first = next(iter(metrics.values()))
    is_share = first.shown_unit == '%' and first.direction == 'higher'
    axis.set(ylabel=escape_plot(_label(first)), ylim=(min([0, *drawn]), 100 if is_share else None))
    axis.legend(loc='best', ncols=2)


def _drawable(value: float) -> float:
    """Return a value, or NaN, which leaves a gap, if it is too large."""
    return value if abs(value) < _LARGEST else nan


def _label(metric: Metric) -> str:
    words = [metric.shown_unit or ('value' if metric.unit == 'unknown' else metric.unit),
             'lower is better' if metric.direction == 'lower' else '']
    return ', '.join(filter(None, words))

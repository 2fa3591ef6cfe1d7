"""Tables of the evaluations of a training run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.evaluation.run_evaluations import RunEvaluation
from hrnet_plugin.hosts import Metric


def tables(metrics: Mapping[str, Metric], evaluations: Sequence[RunEvaluation]) -> str:
    """Return the evaluations as text: a table per dataset, then the classes in the last evaluation."""
    return '\n\n'.join(_tables(metrics, evaluations))


def _tables(metrics: Mapping[str, Metric], evaluations: Sequence[RunEvaluation]) -> Iterator[str]:
    prefixes = _dataset_prefixes({key: metric for key, metric in metrics.items() if not metric.is_detail})
    for prefix in dict.fromkeys(prefixes.values()):
        chosen = {key: metrics[key] for key, other in prefixes.items() if other == prefix}
        table = _table(chosen, [evaluation for evaluation in evaluations if chosen.keys() & evaluation.values.keys()],
                       prefix)
        yield f'{escape_controls(prefix)}\n{table}' if prefix else table
    details = {key: metric for key, metric in metrics.items() if metric.is_detail and key in evaluations[-1].values}
    if details:
        titles = {key: escape_controls(metric.title) for key, metric in details.items()}
        width = max(map(len, titles.values()))
        lines = [f'{titles[key]:<{width}}{_cell(evaluations[-1], key, metric):>8}' for key, metric in details.items()]
        yield '\n'.join([f'step {evaluations[-1].step}', *lines])


def _dataset_prefixes(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return the prefix of each key. Unknown metrics get only those of known ones."""
    known = {metric.name.rpartition('/')[0] for metric in metrics.values() if metric.unit != 'unknown'}
    return {key: max((prefix for prefix in known if metric.name.startswith(f'{prefix}/')), key=len, default='')
            for key, metric in metrics.items()}


def _table(metrics: Mapping[str, Metric], evaluations: Sequence[RunEvaluation], prefix: str) -> str:
    titles = {key: escape_controls(metric.title.removeprefix(f'{prefix}/')) for key, metric in metrics.items()}
    width = max(8, *(len(title) + 2 for title in titles.values()))
    lines = [f'{"step":>6}' + ''.join(f'{title:>{width}}' for title in titles.values())]
    lines += [f'{one.step:>6}' + ''.join(f'{_cell(one, key, metric):>{width}}' for key, metric in metrics.items())
              for one in evaluations]
    return '\n'.join(lines)


def _cell(evaluation: RunEvaluation, key: str, metric: Metric) -> str:
    value = evaluation.shown(key, metric)
    return '-' if value != value else metric.format(value)

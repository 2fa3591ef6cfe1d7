"""Evaluations that a training run has logged, and their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.config_files import read_config
from hrnet_plugin.evaluation.leaderboard.metrics import logged_metrics
from hrnet_plugin.hosts import HOSTS, Host, Metric, host_of_config

_TRAINING = ('loss', 'lr', 'iter')  # only in records of training iterations
_NO_METRICS = ('step', 'time', 'data_time', 'memory', 'epoch')


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Evaluation during training.

    Attributes:
        step: Epoch of a run by epochs, or training iteration of any other run.
        iteration: Training iteration.
        values: Key -> logged value.
    """

    step: int
    iteration: int
    values: Mapping[str, float]

    def shown(self, key: str, metric: Metric) -> float:
        """Return a metric in the unit of tables. NaN if it is missing or undefined."""
        value = self.values.get(key)
        return metric.show(value) if value is not None and metric.is_defined(value) else float('nan')


def read_evaluations(records: Sequence[Mapping[str, float]]) -> list[Evaluation]:
    """Return the evaluations of a run.

    mmengine logs an evaluation with the epoch, which is always 0 in a run by iterations. The step is then the last
    logged training iteration.

    Args:
        records: Logged scalars of the run, in order.

    Raises:
        FileNotFoundError: The run has no evaluation.
    """
    found, iteration = [], 0
    for record in records:
        if any(key in record for key in _TRAINING):
            iteration = int(record['step'])
            continue
        values = {key: value for key, value in record.items()
                  if key not in _NO_METRICS and isinstance(value, (int, float))}
        if values:
            step = int(record['step']) or iteration
            found.append(Evaluation(step=step, iteration=max(step, iteration), values=values))
    if not found:
        first = ', '.join(host.metrics[0].key for host in HOSTS.values())
        raise FileNotFoundError(f'the run must have logged an evaluation, such as {first}, got none')
    return found


def run_metrics(work_dir: Path, evaluations: Sequence[Evaluation]) -> dict[str, Metric]:
    """Return the logged keys of a run, in the order of tables, with their metrics."""
    keys = {key: None for evaluation in evaluations for key in evaluation.values}
    return logged_metrics(_host(work_dir, list(keys)).task, list(keys))


def _host(work_dir: Path, keys: Sequence[str]) -> Host:
    """Return the host of the newest config in a work directory, or else the one that knows most of the keys."""
    for file in sorted(work_dir.glob('*/vis_data/config.py'), reverse=True):
        try:
            return host_of_config(read_config(file))
        except (ImportError, ValueError):  # of another library, or one that is not installed
            break

    def known(host: Host) -> tuple[int, int]:
        found = [metric for metric in logged_metrics(host.task, keys).values() if metric.unit != 'unknown']
        return sum('/' not in metric.name for metric in found), len(found)  # without another prefix, with one

    return max(HOSTS.values(), key=known)  # the first in a tie


def tables(metrics: Mapping[str, Metric], evaluations: Sequence[Evaluation]) -> str:
    """Return the evaluations as text: a table per dataset, then the classes in the last evaluation."""
    return '\n\n'.join(_tables(metrics, evaluations))


def _tables(metrics: Mapping[str, Metric], evaluations: Sequence[Evaluation]) -> Iterator[str]:
    prefixes = _dataset_prefixes({key: metric for key, metric in metrics.items() if not metric.is_detail})
    for prefix in dict.fromkeys(prefixes.values()):
        chosen = {key: metrics[key] for key, other in prefixes.items() if other == prefix}
        table = _table(chosen, [evaluation for evaluation in evaluations if chosen.keys() & evaluation.values.keys()],
                       prefix)
        yield f'{prefix}\n{table}' if prefix else table
    details = {key: metric for key, metric in metrics.items() if metric.is_detail and key in evaluations[-1].values}
    if details:
        width = max(len(metric.title) for metric in details.values())
        lines = [f'{metric.title:<{width}}{_cell(evaluations[-1], key, metric):>8}' for key, metric in details.items()]
        yield '\n'.join([f'step {evaluations[-1].step}', *lines])


def _dataset_prefixes(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return the prefix of each key. Unknown metrics get only those of known ones."""
    known = {metric.name.rpartition('/')[0] for metric in metrics.values() if metric.unit != 'unknown'}
    return {key: max((prefix for prefix in known if metric.name.startswith(f'{prefix}/')), key=len, default='')
            for key, metric in metrics.items()}


def _table(metrics: Mapping[str, Metric], evaluations: Sequence[Evaluation], prefix: str) -> str:
    titles = {key: metric.title.removeprefix(f'{prefix}/') for key, metric in metrics.items()}
    width = max(8, *(len(title) + 2 for title in titles.values()))
    lines = [f'{"step":>6}' + ''.join(f'{title:>{width}}' for title in titles.values())]
    lines += [f'{one.step:>6}' + ''.join(f'{_cell(one, key, metric):>{width}}' for key, metric in metrics.items())
              for one in evaluations]
    return '\n'.join(lines)


def _cell(evaluation: Evaluation, key: str, metric: Metric) -> str:
    value = evaluation.shown(key, metric)
    return '-' if value != value else metric.format(value)

"""Evaluations that a training run has logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.config_files import read_config
from hrnet_plugin.evaluation.leaderboard.metrics import logged_metrics
from hrnet_plugin.hosts import HOSTS, Host, Metric, host_of_config
from hrnet_plugin.training.run_logs import is_training

_NO_METRICS = ('step', 'time', 'data_time', 'memory', 'epoch')


@dataclass(frozen=True, kw_only=True)
class RunEvaluation:
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


def read_evaluations(records: Sequence[Mapping[str, float]]) -> list[RunEvaluation]:
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
        if is_training(record):
            iteration = int(record['step'])
            continue
        values = {key: value for key, value in record.items()
                  if key not in _NO_METRICS and isinstance(value, (int, float))}
        if values:
            step = int(record['step']) or iteration
            found.append(RunEvaluation(step=step, iteration=max(step, iteration), values=values))
    if not found:
        first = ', '.join(host.metrics[0].key for host in HOSTS.values())
        raise FileNotFoundError(f'the run must have logged an evaluation, such as {first}, got none')
    return found


def run_metrics(work_dir: Path, evaluations: Sequence[RunEvaluation]) -> dict[str, Metric]:
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

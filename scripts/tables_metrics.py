"""Tables of the metrics that the evaluators of the hosts log."""

from __future__ import annotations

from tables_cells import markdown_table

from hrnet_plugin.hosts import Host, Metric

_COLUMNS = ('evaluator', 'key in the log', 'name', 'unit of the log', 'shown in', 'better', 'key in records',
            'leaderboard', 'curve')
_UNITS = {'annotations': 'that of the annotations', 'ratio': 'plain number'}


def metric_table(host: Host) -> str:
    """Return the table of a host's metrics, in the order of their columns in tables."""
    return markdown_table(_COLUMNS, (_cells(metric) for metric in host.metrics))


def _cells(metric: Metric) -> list[str]:
    evaluators = ', '.join(metric.evaluators) or ('COCO API' if not metric.key else 'derived classes')
    key = f'`{metric.key}`' if metric.key else '-'
    if metric.requires_key:
        key += f', if `{metric.requires_key}` is logged'
    return [evaluators, key, f'`{metric.name}`', _UNITS.get(metric.unit, metric.unit), metric.shown_unit or '-',
            metric.direction, f'`{metric.stored}`', 'column' if metric.is_shown else '`--by`',
            'yes' if metric.is_drawn else 'no' if metric.key else '-']

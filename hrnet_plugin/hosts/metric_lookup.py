"""Lookup of a metric by its key in logs or records, or by its name in tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache

from hrnet_plugin.hosts.metric import WILDCARDS, Metric, unknown_metric


def find_logged(metrics: Sequence[Metric], key: str, keys: Collection[str]) -> Metric:
    """Return the metric of a logged key, with its name. Unknown metrics have the name, unit and direction 'unknown'.

    An evaluator of several datasets puts a prefix before the key, e.g. 'val_a/coco/bbox_mAP'. A config can also
    replace the evaluator's default prefix: 'val_a/bbox_mAP'. The name then begins with this prefix: 'val_a/AP'.

    Args:
        metrics: Metrics of a host.
        key: Key in the logs.
        keys: All keys of the same evaluation.
    """
    return _find(metrics, key, keys, ('key', ))


def find_stored(metrics: Sequence[Metric], key: str, keys: Collection[str]) -> Metric:
    """Return the metric of a record's key as :func:`find_logged` does.

    Args:
        metrics: Metrics of a host.
        key: Key in the record.
        keys: All keys of the record.
    """
    return _find(metrics, key, keys, ('stored', 'key'))


def find_named(metrics: Sequence[Metric], name: str) -> Metric:
    """Return the metric of a name in tables, which may begin with a prefix, or of an unknown metric's key."""
    for before in ('', '*/'):
        for metric in metrics:
            if _match(before + metric.name, name) is not None:
                return replace(metric, name=name)
    return _find(metrics, name, (name, ), ('key', ))


def _find(metrics: Sequence[Metric], key: str, keys: Collection[str], forms: Sequence[str]) -> Metric:
    for form in forms:
        for metric in metrics:
            groups = _match(getattr(metric, form), key)
            if groups is not None and _has_required(metrics, metric, '', keys):
                return replace(metric, name=_fill(metric.name, groups))
        for metric in metrics:
            pattern = getattr(metric, form)
            groups = _match(f'*/{pattern}', key) if pattern else None
            if groups is not None and _has_required(metrics, metric, f'{groups[0]}/', keys):
                return replace(metric, name=f'{groups[0]}/{_fill(metric.name, groups[1:])}')
    return _find_without_default_prefix(metrics, key, keys)


def _find_without_default_prefix(metrics: Sequence[Metric], key: str, keys: Collection[str]) -> Metric:
    """Return the metric of a key whose default prefix the config has replaced.

    If evaluators share the rest of the key, one whose other key is logged precedes, then one of published tables.
    """
    prefix, _, rest = key.rpartition('/')
    found = []
    for metric in metrics:
        groups = _match(metric.key.removeprefix(f'{metric.prefix}/'), rest) if prefix and metric.prefix else None
        required = metric.requires_key.removeprefix(f'{metric.prefix}/')
        if groups is not None and (not required or f'{prefix}/{required}' in keys):
            found.append(replace(metric, name=_fill(metric.name, groups)))
    found = ([metric for metric in found if metric.requires_key] or [metric for metric in found if metric.is_renamed]
             or found)
    if len({(metric.unit, metric.direction) for metric in found}) != 1:
        return unknown_metric(key)
    return replace(found[0], name=f'{prefix}/{found[0].name if len(found) == 1 else rest}')


def _has_required(metrics: Sequence[Metric], metric: Metric, outer: str, keys: Collection[str]) -> bool:
    names = {metric.requires_key, *(other.stored for other in metrics if other.key == metric.requires_key)}
    return not metric.requires_key or any(outer + name in keys for name in names)


def _match(pattern: str, text: str) -> tuple[str, ...] | None:
    """Return the texts of a pattern's wildcards, or None if it does not match."""
    found = _compiled(pattern).fullmatch(text) if pattern else None
    return None if found is None else found.groups()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(''.join(WILDCARDS.get(letter, re.escape(letter)) for letter in pattern))


def _fill(pattern: str, texts: Iterable[str]) -> str:
    rest = iter(texts)
    return ''.join(next(rest) if letter in WILDCARDS else letter for letter in pattern)

"""Checks of the rows of a store, which its writer and its reader share.

A store is append-only: a row that the reader leaves out cannot be corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hrnet_plugin.evaluation.detections import is_count, short
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, ModelFacts
from hrnet_plugin.evaluation.leaderboard.store_schema import COLUMNS
from hrnet_plugin.evaluation.leaderboard.stored_facts import MAX_NUMBER, MAX_TEXT, is_stored_number, read_facts
from hrnet_plugin.hosts import HOSTS

MAX_CONFIG = 4 * 2**20  # characters
_MAX_FACTS = 4 * 2**20
#: Column of a record -> maximum number of characters.
LIMITS = {**dict.fromkeys(COLUMNS, MAX_TEXT), 'config_text': MAX_CONFIG, 'facts': _MAX_FACTS}
_TASKS = tuple(host.task for host in HOSTS.values())


def check_row(row: Mapping[str, Any]) -> tuple[ModelFacts, Cost, Conditions]:
    """Check the columns of a record besides its number, and return its parsed facts.

    Args:
        row: Column -> value of any type.

    Raises:
        ValueError: If a value has the wrong type, or is too long or too large.
    """
    images, whole = row['images'], row['whole']
    if not is_count(images) or whole not in (0, 1):
        raise ValueError(f'images must be a count and whole must be 0 or 1, got {short(images)} and {short(whole)}')
    for name, value in row.items():
        if name not in ('images', 'whole'):
            _check_text(name, value, LIMITS[name])
    if row['task'] not in _TASKS:
        raise ValueError(f'task must be one of {", ".join(_TASKS)}, got {short(row["task"])}')
    return read_facts(row['facts'])


def check_metric_names(cls: Any, name: Any) -> None:
    """Check the class and the name of a metric.

    Raises:
        ValueError: If one is no text, or is too long.
    """
    _check_text('class', cls, MAX_TEXT)
    _check_text('name of a metric', name, MAX_TEXT)


def check_metric_value(name: Any, value: Any) -> None:
    """Check the value of a metric.

    Args:
        name: Name of the metric, for the message.
        value: Value of any type. None is undefined.

    Raises:
        ValueError: If it is neither None nor a finite number that tables can show.
    """
    if value is not None and not is_stored_number(value):
        raise ValueError(f'metrics must be finite numbers of at most {MAX_NUMBER:.0e} or None, got {short(value)} for '
                         f'{short(name)}')


def _check_text(name: str, value: Any, most: int) -> None:
    if not isinstance(value, str) or len(value) > most:
        raise ValueError(f'{name} must be text of at most {most} characters, got {short(value)}')

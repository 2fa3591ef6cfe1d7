"""Published rows of HRNet and of what it is compared with: the paper's, its authors' and the hosts' model zoos'.

They are in ``published/``, a file for each task, written as published: a figure that was not published is empty, a size
is in the unit in which it was counted (``docs/counts.md`` says how the paper's units were found).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS

_FOLDER = Path(__file__).parent / 'published'
_NUMBERS = ('params', 'gflops', 'ms', 'memory', 'training_memory')


@cache
def published_entries() -> tuple[Entry, ...]:
    """All rows of all tasks, in the files' order."""
    return tuple(entry for task in METRICS if _file(task).is_file() for entry in _read(task))


def _file(task: str) -> Path:
    return _FOLDER / f'{task}.csv'


def _read(task: str) -> list[Entry]:
    with _file(task).open(newline='', encoding='utf-8') as file:
        return [_entry(task, row) for row in csv.DictReader(file)]


def _entry(task: str, row: dict[str, str]) -> Entry:
    """Of a row whose columns have the names of an entry's properties, or of metrics."""
    numbers = {name: float(row[name]) for name in _NUMBERS if row.get(name)}
    metrics = {name: float(row[name]) for name in METRICS[task] if row.get(name)}
    words = {name: value for name, value in row.items() if name not in _NUMBERS and name not in METRICS[task]}
    return Entry(task=task, metrics=metrics, **words, **numbers)  # type: ignore[arg-type]

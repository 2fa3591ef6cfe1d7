"""Published results: rows of the leaderboard, and costs of models.

The folder ``published/`` contains each figure once, as published. ``scripts/write_tables.py`` writes the tables of the
documents and the results of the metafiles from it.

- ``detection.csv``, ``pose.csv`` and ``segmentation.csv`` are rows of the leaderboard. Empty cells were not published.
- ``unranked.csv`` has one metric per row, of evaluations without a published ranking, such as ablations and faces.
- ``costs.csv`` has parameters and GFLOPs, in the unit of the publication and at its image size
  (``docs/reports/counts.md``).
- ``sources.csv`` has the addresses of the sources of rows.

Three columns refer to other files. ``cost`` is a key of ``costs.csv``. ``config`` is the shipped config whose tables
show the row. ``key`` is a key of ``checkpoints/published.csv``. Without a key, ``weights`` identifies the checkpoint.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.links import find_links
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS

FOLDER = Path(__file__).resolve().parent / 'published'


@cache
def published_entries() -> tuple[Entry, ...]:
    """Return the published rows of all tasks, in the order of the files."""
    return tuple(entry for task in METRICS if (FOLDER / f'{task}.csv').is_file() for entry in _read_task(task))


@cache
def published_costs() -> Mapping[str, Cost]:
    """Return the published costs by their keys."""
    return {row['key']: Cost(params=float(row['params']), gflops=float(row['gflops']), unit=row['unit'],
                             counted_at=row['counted_at'])
            for row in _read('costs')}


@cache
def _sources() -> list[dict[str, str]]:
    return _read('sources')


def _read(name: str) -> list[dict[str, str]]:
    with (FOLDER / f'{name}.csv').open(newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def _read_task(task: str) -> list[Entry]:
    rows = _read(task)
    # published once per checkpoint, which several tests may share
    memory = {row['weights']: row['training_memory'] for row in rows if row['weights'] and row['training_memory']}
    return [_entry(task, row, memory.get(row['weights'], row['training_memory'])) for row in rows]


def _entry(task: str, row: Mapping[str, str], training_memory: str) -> Entry:
    return Entry(
        task=task, source=row['source'], place=row['place'], config=row['config'], links=find_links(row, _sources()),
        weights=row['weights'], key=row['key'],
        model=ModelFacts(method=row['method'], backbone=row['backbone'], schedule=row['schedule'],
                         size=row.get('size', ''), note=row['note']),
        data=DataFacts(data=row['data'], split=row['split']),
        scores=Scores(metrics={name: float(row[name]) for name in METRICS[task] if row.get(name)}),
        cost=published_costs()[row['cost']] if row['cost'] else Cost(),
        conditions=Conditions(test=row.get('test', ''), ms=_number(row['ms']), memory=_number(row['memory']),
                              training_memory=_number(training_memory), machine=row['machine']))


def _number(cell: str) -> float | None:
    return float(cell) if cell else None

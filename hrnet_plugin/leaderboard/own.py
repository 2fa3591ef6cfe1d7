"""Rows of one's own, out of stores of results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hrnet_plugin.leaderboard.entry import OWN, Entry
from hrnet_plugin.leaderboard.metrics import in_per_cent
from hrnet_plugin.leaderboard.record import Record
from hrnet_plugin.leaderboard.store import ResultStore

_FACTS = ('method', 'backbone', 'schedule', 'note', 'size', 'test', 'params', 'gflops', 'unit', 'ms', 'memory',
          'machine', 'pictures')


def own_entries(stores: Iterable[str | Path]) -> list[Entry]:
    """A row for each record of the stores.

    Raises:
        FileNotFoundError, sqlite3.DatabaseError: As :meth:`~hrnet_plugin.leaderboard.store.ResultStore.read` does.
    """
    return [own_entry(record, Path(store).stem) for store in stores for record in ResultStore(store).read()]


def own_entry(record: Record, store: str) -> Entry:
    """The row of a record.

    Args:
        record: Read from a store.
        store: Name of that.
    """
    facts: dict[str, Any] = {name: record.facts[name] for name in _FACTS if record.facts.get(name) is not None}
    facts = {'method': record.config, 'backbone': '', **facts}
    if 'unit' in facts and 'counted at' in record.facts:
        facts['unit'] += f"; at {record.facts['counted at']}"
    if record.facts.get('batch', 1) > 1:
        facts['machine'] = f'{facts.get("machine", "")}, batches of {record.facts["batch"]}'
    classes = {cls: 100 * value for cls, value in record.classes.get('AP', {}).items() if value is not None}
    metrics = {name: in_per_cent(name, value) for name, value in record.metrics.items() if value is not None}
    return Entry(task=record.task, source=OWN, place=record.config, data=record.data, split=record.split,
                 metrics=metrics, store=store, number=record.number, images=record.images, whole=record.whole,
                 classes=classes, **facts)

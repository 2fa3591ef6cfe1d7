"""Rows of one's own, out of stores of results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.entry import OWN, Entry
from hrnet_plugin.evaluation.leaderboard.facts import Scores
from hrnet_plugin.evaluation.leaderboard.metrics import in_percent
from hrnet_plugin.evaluation.leaderboard.pictures import is_trusted, resolve_folder
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore


def own_entries(stores: Iterable[str | Path], picture_roots: Sequence[str | Path] = ()) -> list[Entry]:
    """Return one row per record of the stores.

    Args:
        stores: Files of records.
        picture_roots: Folders of visualizations that the page may read, beside the run folders below each store's
            folder. :mod:`~hrnet_plugin.evaluation.leaderboard.pictures` has the rule.

    Raises:
        FileNotFoundError, sqlite3.DatabaseError: As of ``ResultStore.read``.
    """
    return [_with_pictures(own_entry(record, Path(store).stem), record, Path(store).parent, picture_roots)
            for store in stores for record in ResultStore(store).read()]


def own_entry(record: Record, store: str) -> Entry:
    """Return the row of a record, without the folder of visualizations, which :func:`own_entries` checks.

    Args:
        record: Read from a store.
        store: Name of that.
    """
    classes = {name: {cls: 100 * value for cls, value in values.items() if value is not None}
               for name, values in record.scores.classes.items()}
    metrics = {name: in_percent(record.task, name, value) for name, value in record.scores.metrics.items()
               if value is not None}
    return Entry(task=record.task, source=OWN, place=record.config, data=record.data, store=store, number=record.number,
                 model=replace(record.model, method=record.model.method or record.config),
                 scores=Scores(metrics=metrics, classes=classes), cost=record.cost,
                 conditions=replace(record.conditions, pictures=''))


def _with_pictures(entry: Entry, record: Record, store_folder: Path, roots: Sequence[str | Path]) -> Entry:
    folder = resolve_folder(record.conditions.pictures, store_folder)
    if folder and not is_trusted(folder, store_folder, roots):
        return replace(entry, refused_pictures=folder)
    return replace(entry, conditions=replace(entry.conditions, pictures=folder))

"""Leaderboard rows of local results, read from result stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.analyses import resolve_analysis
from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.facts import Scores
from hrnet_plugin.evaluation.leaderboard.metrics import shown_metrics
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.leaderboard.stored_rows import warn_of_rows
from hrnet_plugin.evaluation.leaderboard.visualizations import is_trusted, resolve_folder


def local_entries(stores: Iterable[str | Path], visualization_roots: Sequence[str | Path] = (),
                  with_details: bool = True) -> list[Entry]:
    """Return one row per record of the stores.

    Args:
        stores: Paths of result stores.
        visualization_roots: Folders that the page may read in addition to the run folders below each store. See
            :mod:`~hrnet_plugin.evaluation.leaderboard.visualizations`.
        with_details: Whether rows have metrics of classes and visualizations, which only files show.

    Raises:
        FileNotFoundError: If a store does not exist.
        ValueError: If a store has too many records.
        sqlite3.DatabaseError: If a file is not a store.
    """
    return [entry for store in stores for entry in _read_store(Path(store), visualization_roots, with_details)]


def _read_store(store: Path, roots: Sequence[str | Path], with_details: bool) -> Iterator[Entry]:
    problems = []
    for record in ResultStore(store).read(with_classes=with_details, with_configs=False):
        try:
            record.cost.check_unit()
        except ValueError as error:
            problems.append(f'record {record.number}: {error}')
            continue
        entry = local_entry(record, store.stem)
        yield _with_files(entry, record, store.parent, roots) if with_details else entry
    warn_of_rows(problems, store)


def local_entry(record: Record, store: str) -> Entry:
    """Return the row of a record without its visualizations and analysis, which :func:`local_entries` checks.

    Args:
        record: Record of a store.
        store: Name of the store.
    """
    classes = {name: {cls: 100 * value for cls, value in values.items() if value is not None}
               for name, values in record.scores.classes.items()}
    metrics = shown_metrics(record.task, record.scores.metrics)
    model = replace(record.model, method=record.model.method or record.config)
    return Entry(task=record.task, source=LOCAL, place=record.config, config=record.config, data=record.data,
                 store=store, number=record.number, model=model, scores=Scores(metrics=metrics, classes=classes),
                 cost=record.cost, conditions=replace(record.conditions, pictures='', analysis=''))


def _with_files(entry: Entry, record: Record, store_folder: Path, roots: Sequence[str | Path]) -> Entry:
    """Add the trusted folder of visualizations and the trusted file of analyses of a record."""
    folder = resolve_folder(record.conditions.pictures, store_folder, roots)
    analysis = resolve_analysis(record.conditions.analysis, store_folder)
    refused = folder if folder and not is_trusted(folder, store_folder, roots) else ''
    return replace(entry, refused_visualizations=refused, conditions=replace(
        entry.conditions, pictures='' if refused else folder, analysis=analysis))

"""Data of the page: rankings as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from hrnet_plugin.evaluation.leaderboard.analyses import entry_analyses
from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.metrics import named_metric
from hrnet_plugin.evaluation.leaderboard.page.configs import config_texts
from hrnet_plugin.evaluation.leaderboard.page.images import PageImages
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.leaderboard.tables import NUMBERS, model_text, partial_text, source_text
from hrnet_plugin.evaluation.leaderboard.trends import Trend
from hrnet_plugin.json_types import Json, JsonObject

_COLUMNS = ('source', 'method', 'backbone', 'schedule', 'width', 'size', 'note', 'test', 'unit', 'machine', 'params',
            'gflops', 'ms')
_MAX_ANALYSES = 10  # best rows per ranking whose analyses are on the page: 80 classes take 0.3 MB
_DIGITS = 7  # significant digits of numbers, which the page shows with fewer


def page_data(boards: Sequence[Board], comparisons: Sequence[JsonObject], trends: Sequence[Trend]) -> JsonObject:
    """Return the data of the page, with images as data URLs.

    Args:
        boards: Rankings.
        comparisons: Results of :func:`~hrnet_plugin.evaluation.comparison.compare.compare` as JSON objects.
        trends: Evaluations of training runs.
    """
    configs = config_texts([entry for board in boards for entry in board.entries])
    images = PageImages()
    return dict(boards=[_board(board, images) for board in boards], configs=dict(configs),
                numbers=[list(pair) for pair in NUMBERS.items()],
                comparisons=[dict(one) for one in comparisons], trends=[_trend(one) for one in trends])


def _board(board: Board, images: PageImages) -> dict[str, Json]:
    image_names = images.common_names(board.entries)
    classes = list(dict.fromkeys(name for entry in board.entries for name in entry.scores.classes.get('AP', {})))
    analyzed = [entry for entry in board.entries if entry.conditions.analysis][:_MAX_ANALYSES]
    analyses = {id(entry): _analyses(entry) for entry in analyzed}
    rows: list[Json] = [_without_empty_values({
        **_row(board, place, entry, classes), 'analyses': analyses.get(id(entry)),
        'pictures': dict(images.embed(entry, image_names))}) for place, entry in enumerate(board.entries, 1)]
    return dict(title=board.title, own=board.has_local, metric=board.metric, classes=list[Json](classes),
                metrics=[_metric(board, name) for name in board.metrics], rows=rows)


def _metric(board: Board, name: str) -> dict[str, Json]:
    metric = named_metric(board.task, name)
    return dict(name=name, title=metric.title, digits=metric.decimals, direction=metric.direction)


def _row(board: Board, place: int, entry: Entry, classes: Sequence[str]) -> dict[str, Json]:
    columns, scores = entry.columns, entry.scores
    notes = {name: board.size_note(entry, name) for name in NUMBERS}
    return dict(
        {name: columns[name] for name in _COLUMNS}, macs_in_billions=_short(entry.cost.macs_in_billions),
        weights_in_millions=_short(entry.cost.weights_in_millions),
        rank=place if board.metric in scores.metrics else None, model=model_text(entry), where=source_text(entry),
        detail=f'{entry.store} {entry.number}' if entry.source == LOCAL else entry.place, config=entry.config,
        group=entry.group, links=dict(entry.links), notes={name: note for name, note in notes.items() if note},
        partial=partial_text(entry), metrics=_values(scores.metrics, board.metrics),
        classes=_values(scores.classes.get('AP', {}), classes) if scores.classes.get('AP') else None)


def _analyses(entry: Entry) -> dict[str, Json]:
    return {analysis.kind: asdict(analysis) for analysis in entry_analyses(entry).values()}


def _trend(trend: Trend) -> dict[str, Json]:
    metrics: list[Json] = [dict(name=name, title=trend.titles[name], values=[_short(value) for value in values],
                                direction='lower' if name in trend.lower else '')
                           for name, values in trend.values.items()]
    return dict(name=trend.name, unit=trend.unit, steps=list[Json](trend.steps), metrics=metrics)


def _without_empty_values(row: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in row.items() if value is not None and value != '' and value != {}}


def _values(values: Mapping[str, float | None], names: Sequence[str]) -> list[Json]:
    """Return the values of the names, which are listed once per ranking."""
    return [_short(values.get(name)) for name in names]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f'{value:.{_DIGITS}g}')

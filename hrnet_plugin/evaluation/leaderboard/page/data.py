"""Data of the page: rankings as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.metrics import named_metric
from hrnet_plugin.evaluation.leaderboard.page.images import common_image_names, embed_images
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.leaderboard.tables import model_text, partial_text, source_text
from hrnet_plugin.json_types import JsonObject

_COLUMNS = ('source', 'method', 'schedule', 'width', 'unit', 'machine', 'params', 'gflops', 'ms')


def board_data(board: Board) -> JsonObject:
    """Return a ranking as JSON, with images as data URLs."""
    names = common_image_names(board.entries)
    found = {name: named_metric(board.task, name) for name in {board.metric, *board.metrics}}
    return dict(title=board.title, metric=board.metric, metrics=list(board.metrics), lower=list(board.lower),
                titles={name: metric.title for name, metric in found.items()},
                digits={name: metric.decimals for name, metric in found.items()},
                rows=[_row(board, place, entry, names) for place, entry in enumerate(board.entries, 1)])


def _row(board: Board, place: int, entry: Entry, image_names: Sequence[str]) -> JsonObject:
    columns, scores = entry.columns, entry.scores
    return dict(
        {name: columns[name] for name in _COLUMNS}, macs_in_billions=entry.cost.macs_in_billions,
        weights_in_millions=entry.cost.weights_in_millions, rank=place if board.metric in scores.metrics else None,
        model=model_text(entry), short=f'{entry.model.method}, {entry.model.backbone}', where=source_text(entry),
        partial=partial_text(entry), metrics=dict(scores.metrics), classes=dict(scores.classes.get('AP', {})),
        pictures=dict(embed_images(entry, image_names)))

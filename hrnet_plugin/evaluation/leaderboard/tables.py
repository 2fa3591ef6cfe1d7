"""Rankings as terminal tables, Markdown and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich import box
from rich.table import Table
from rich.text import Text

from hrnet_plugin.escaping import escape_controls, escape_markdown
from hrnet_plugin.evaluation.csv_rows import write_rows
from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.markdown import Bold, markdown_table

NUMBERS = {'params': 'params (M)', 'gflops': 'GFLOPs', 'ms': 'ms'}  # key of Entry.columns -> title
CSV_COLUMNS = ('task', 'source', 'place', 'method', 'backbone', 'data', 'split', 'schedule', 'note', 'size', 'test',
               'params', 'gflops', 'unit', 'ms', 'memory', 'training_memory', 'machine', 'weights', 'store', 'number',
               'images', 'whole', 'pictures')
_PLACE_WIDTH, _MODEL_WIDTH, _SOURCE_WIDTH = 3, 22, 12
_TEXT_WIDTH = _PLACE_WIDTH + _MODEL_WIDTH + _SOURCE_WIDTH + 4  # with separating spaces


def model_text(entry: Entry) -> str:
    """Return method, backbone, schedule, note and test of a row, and a mark if it is not comparable."""
    model, test = entry.model, entry.conditions.test
    words = [', '.join(filter(None, (model.method, model.backbone, model.schedule))), model.size.replace('x', ' x '),
             model.note, f'tested with {test}' if test else '', partial_text(entry)]
    return '; '.join(filter(None, words))


def partial_text(entry: Entry) -> str:
    """Return the mark of a row that is not comparable with published ones, or an empty string."""
    return '' if entry.data.whole else f'only {entry.data.images} images, not a published split'


def source_text(entry: Entry) -> str:
    """Return the source of a row and its place in the source."""
    return f'own, {entry.store} {entry.number}' if entry.source == LOCAL else f'{entry.source}, {entry.place}'


def terminal_table(board: Board, top: int | None = None, width: int = 80) -> Table:
    """Return a rich table of a ranking.

    Args:
        board: Ranking to show.
        top: Number of the best rows to show, besides all local results. Default: all rows.
        width: Width of the terminal in characters. Columns that do not fit are left out: first the metrics other than
            the ranking's, then sizes and times.
    """
    metrics, numbers = _fitting(board, width)
    table = Table(title=_plain(board.title), title_justify='left', box=box.SIMPLE_HEAD, show_edge=False,
                  padding=0)
    titles = [*map(board.column_title, metrics), *(NUMBERS[name] for name in numbers)]
    widths = [*(_metric_width(board, name) for name in metrics), *(_width(NUMBERS[name]) for name in numbers)]
    rest = max(0, width - _TEXT_WIDTH - sum(widths))
    table.add_column('', justify='right', width=_PLACE_WIDTH)
    table.add_column('model', width=_MODEL_WIDTH + min(30, rest * 2 // 3), overflow='fold')
    table.add_column('source', width=_SOURCE_WIDTH + min(20, rest // 3), overflow='fold')
    for title, width in zip(titles, widths):
        table.add_column(_plain(title), justify='right', width=width - 1)
    for place, entry in enumerate(board.entries, 1):
        if top is None or place <= top or entry.source == LOCAL:
            table.add_row(*map(_plain, _cells(board, place, entry, metrics, numbers)),
                          style='bold' if entry.source == LOCAL else None)
    return table


def _plain(text: str) -> Text:
    """Return a text without control characters, in which rich does not parse brackets as markup."""
    return Text(escape_controls(text))


def _fitting(board: Board, width: int) -> tuple[list[str], list[str]]:
    """Return the metrics and numbers whose columns fit beside model and source."""
    known = [name for name in NUMBERS if any(entry.columns[name] is not None for entry in board.entries)]
    # of the mask metrics, only mask AP
    metrics = [name for name in board.metrics if not name.startswith('mask ') or name in ('mask AP', board.metric)]
    candidates = [board.metric, *known, *(name for name in metrics if name != board.metric)]
    left, chosen = width - _TEXT_WIDTH, set()
    for name in candidates:
        left -= _width(NUMBERS[name]) if name in NUMBERS else _metric_width(board, name)
        if left >= 0:
            chosen.add(name)
    return [name for name in metrics if name in chosen], [name for name in known if name in chosen]


def _metric_width(board: Board, name: str) -> int:
    return max(map(_width, (board.column_title(name), *(board.metric_text(entry, name) for entry in board.entries))))


def _width(title: str) -> int:
    """Return the width of a numeric column with its separating space."""
    return max(5, len(title)) + 1


def markdown(boards: Sequence[Board]) -> str:
    """Return all rankings with all rows as Markdown."""
    parts = []
    for board in boards:
        head = ['', 'model', 'source', *map(board.column_title, board.metrics), *NUMBERS.values(), 'unit']
        rows = (_markdown_row(board, place, entry) for place, entry in enumerate(board.entries, 1))
        title = escape_markdown(board.title[0].upper() + board.title[1:])
        parts.append(f'## {title}\n\n{markdown_table(head, rows)}')
    return '\n\n'.join(parts) + '\n'


def _markdown_row(board: Board, place: int, entry: Entry) -> list[str]:
    notes = {name: board.size_note(entry, name) for name in NUMBERS}
    rank, model, *cells = _cells(board, place, entry, board.metrics, [])
    return [rank, Bold(model) if entry.source == LOCAL else model, *cells,
            *(f'{_short(entry.columns[name])} {note}' for name, note in notes.items()), entry.cost.unit_text]


def as_csv(boards: Sequence[Board]) -> str:
    """Return all rows with all columns and metrics as CSV, without per-class AP."""
    shown = [name for names in METRICS.values() for name in names]
    recorded = [name for board in boards for entry in board.entries for name in entry.scores.metrics]
    metrics = list(dict.fromkeys([*shown, *recorded]))
    out = StringIO()
    write_rows(out, [('rank', *CSV_COLUMNS, *metrics), *(
        _csv_row(board, place, entry, metrics) for board in boards for place, entry in enumerate(board.entries, 1))])
    return out.getvalue()


def _csv_row(board: Board, place: int, entry: Entry, metrics: Sequence[str]) -> list[object]:
    columns = entry.columns
    return [place if board.metric in entry.scores.metrics else None, *(columns[name] for name in CSV_COLUMNS),
            *(entry.scores.metrics.get(name) for name in metrics)]


def _cells(board: Board, place: int, entry: Entry, metrics: Sequence[str], numbers: Sequence[str]) -> list[str]:
    values = [board.metric_text(entry, name) for name in metrics]
    return [str(place) if board.metric in entry.scores.metrics else '', model_text(entry), source_text(entry), *values,
            *(_short(entry.columns[name]) for name in numbers)]


def _short(value: str | float | None) -> str:
    return '' if value is None else f'{value:.1f}'

"""Writer of the HTML page, which contains data, script and plotting library."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.logging import print_log

from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.metrics import named_metric
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.leaderboard.tables import NUMBERS, model_text, partial_text, source_text
from hrnet_plugin.evaluation.leaderboard.visualizations import is_inside
from hrnet_plugin.json_types import JsonObject
from hrnet_plugin.requirements import install_command

if TYPE_CHECKING:
    from PIL.Image import Image

_HERE = Path(__file__).parent
_COLUMNS = ('source', 'method', 'schedule', 'width', 'unit', 'machine', 'params', 'gflops', 'ms')
_MAX_IMAGES = 6  # per row
_IMAGE_WIDTH = 640


def write_page(boards: Sequence[Board], target: str | Path, title: str = 'HRNet leaderboard',
               comparisons: Sequence[JsonObject] = ()) -> None:
    """Write the page, and log a warning for each folder of visualizations that it does not read.

    Args:
        boards: Rankings, of which the page first shows the first.
        target: Path of the HTML file.
        title: Title of the page.
        comparisons: Results of :func:`~hrnet_plugin.evaluation.comparison.compare.compare` as JSON objects.

    Raises:
        ImportError: If plotly is not installed.
    """
    _warn_of_refused_folders(boards)
    local = sum(entry.source == LOCAL for board in boards for entry in board.entries)
    rows = sum(len(board.entries) for board in boards)
    data = dict(boards=[_board(board) for board in boards], numbers=list(NUMBERS.items()),
                comparisons=list(comparisons))
    parts = dict(
        title=html.escape(title), css=(_HERE / 'page.css').read_text(encoding='utf-8'),
        script=(_HERE / 'page.js').read_text(encoding='utf-8'), plotly=_plotly(),
        introduction=f'{rows} rows: {local} of your results, and published results of the paper (arXiv 1908.07919), '
                     'its authors&rsquo; repositories, and the model zoos of mmdet, mmpose and mmsegmentation.',
        footer='Made by hrnet_plugin. The page loads no external files. Plots: plotly.js (MIT).',
        # '<' could close the script element of the data
        data=json.dumps(data, ensure_ascii=False, allow_nan=False).replace('<', '\\u003c'))
    template = (_HERE / 'page.html').read_text(encoding='utf-8')
    page = re.sub(r'@(\w+)@', lambda found: parts[found[1]], template)
    Path(target).write_text(page, encoding='utf-8')


def _warn_of_refused_folders(boards: Sequence[Board]) -> None:
    folders = dict.fromkeys(entry.refused_visualizations for board in boards for entry in board.entries)
    for folder in filter(None, folders):  # repr escapes control characters in folder names
        print_log(f'Images in {folder!r} are left out: the folder must be in a run folder (TIME/TIME.log) below the '
                  'folder of the store. To include a folder that you trust, add --pictures FOLDER', logger='current',
                  level=logging.WARNING)


def _plotly() -> str:
    spec = find_spec('plotly')
    if spec is None or spec.origin is None:
        raise ImportError(f'the page requires plotly, which is not installed: {install_command("plotly")}')
    return (Path(spec.origin).parent / 'package_data' / 'plotly.min.js').read_text(encoding='utf-8')


def _board(board: Board) -> dict[str, Any]:
    names = _common_image_names(board.entries)
    found = {name: named_metric(board.task, name) for name in {board.metric, *board.metrics}}
    return dict(title=board.title, metric=board.metric, metrics=board.metrics, lower=board.lower,
                titles={name: metric.title for name, metric in found.items()},
                digits={name: metric.decimals for name, metric in found.items()},
                rows=[_row(board, place, entry, names) for place, entry in enumerate(board.entries, 1)])


def _row(board: Board, place: int, entry: Entry, image_names: Sequence[str]) -> dict[str, Any]:
    columns, scores = entry.columns, entry.scores
    return dict(
        {name: columns[name] for name in _COLUMNS}, macs_in_billions=entry.cost.macs_in_billions,
        weights_in_millions=entry.cost.weights_in_millions, rank=place if board.metric in scores.metrics else None,
        model=model_text(entry), short=f'{entry.model.method}, {entry.model.backbone}', where=source_text(entry),
        partial=partial_text(entry), metrics=dict(scores.metrics), classes=dict(scores.classes.get('AP', {})),
        pictures=_embed_images(entry, image_names))


def _common_image_names(entries: Sequence[Entry]) -> list[str]:
    """Return the names of the images that most rows have, of those that at least two rows have."""
    names = Counter(name for entry in entries if entry.conditions.pictures
                    for name in _image_names(entry.conditions.pictures))
    shared = [name for name, number in names.items() if number > 1]
    return sorted(shared, key=lambda name: (-names[name], name))[:_MAX_IMAGES]


def _image_names(folder: str) -> list[str]:
    """Return the names of the images in a folder, or an empty list if it cannot be read."""
    try:
        return [name for name in os.listdir(folder) if Path(name).suffix.lower() in ('.jpg', '.jpeg', '.png')]
    except OSError:
        return []


def _embed_images(entry: Entry, names: Sequence[str]) -> dict[str, str]:
    files = [Path(folder) / name for name in names] if (folder := entry.conditions.pictures) else []
    found = {file.name: _embed_image(file) for file in files if os.path.isfile(file)}
    return {name: address for name, address in found.items() if address}


def _embed_image(file: Path) -> str:
    """Return an image as a data URL, or log a warning and return an empty string."""
    from PIL import Image
    try:
        if not is_inside(file, file.parent):
            raise ValueError('image must be in its folder, got a symbolic link that leads out of it')
        return _encode(Image.open(file, formats=('JPEG', 'PNG')))  # not EPS, for which PIL runs Ghostscript
    except Exception as error:  # PIL raises many types of errors for a broken or huge image
        print_log(f'Image {str(file)!r} is left out: {error}', logger='current', level=logging.WARNING)
        return ''


def _encode(image: Image) -> str:
    with image:
        converted = image.convert('RGB')
    converted.thumbnail((_IMAGE_WIDTH, _IMAGE_WIDTH))
    out = io.BytesIO()
    converted.save(out, 'JPEG', quality=80)
    return 'data:image/jpeg;base64,' + base64.b64encode(out.getvalue()).decode()

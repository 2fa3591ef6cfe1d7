"""Writing the page: its data, its script and the plotting library in one file."""

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

from hrnet_plugin.evaluation.leaderboard.entry import OWN, Entry
from hrnet_plugin.evaluation.leaderboard.pictures import is_inside
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.leaderboard.tables import NUMBERS, model_text, partial_text, source_text
from hrnet_plugin.json_types import JsonObject
from hrnet_plugin.requirements import install_command

if TYPE_CHECKING:
    from PIL.Image import Image

_HERE = Path(__file__).parent
_COLUMNS = ('source', 'method', 'schedule', 'width', 'unit', 'machine', 'params', 'gflops', 'ms')
_PICTURES = 6  # of each row
_PICTURE_WIDTH = 640


def write_page(boards: Sequence[Board], target: str | Path, title: str = 'HRNet leaderboard',
               comparisons: Sequence[JsonObject] = ()) -> None:
    """Write the page, and log which folders of visualizations it does not read.

    Args:
        boards: What it shows; the first one is shown first.
        target: The file.
        title: Of the page.
        comparisons: What :func:`~hrnet_plugin.evaluation.comparison.compare.compare` found, as JSON's types.

    Raises:
        ImportError: If plotly is not installed.
    """
    _warn_of_refused_pictures(boards)
    own = sum(entry.source == OWN for board in boards for entry in board.entries)
    rows = sum(len(board.entries) for board in boards)
    data = dict(boards=[_board(board) for board in boards], numbers=list(NUMBERS.items()),
                comparisons=list(comparisons))
    parts = dict(
        title=html.escape(title), css=(_HERE / 'page.css').read_text(encoding='utf-8'),
        script=(_HERE / 'page.js').read_text(encoding='utf-8'), plotly=_plotly(),
        introduction=f'{rows} rows, of which {own} were measured here and the others are as published: in the paper '
                     '(arXiv 1908.07919), its authors&rsquo; repositories, and the model zoos of mmdet, mmpose and '
                     'mmsegmentation.',
        footer='Made by hrnet_plugin. Nothing is loaded from elsewhere; the plots are drawn by plotly.js (MIT).',
        # '<' could end the script that the data stands in
        data=json.dumps(data, ensure_ascii=False, allow_nan=False).replace('<', '\\u003c'))
    template = (_HERE / 'page.html').read_text(encoding='utf-8')
    page = re.sub(r'@(\w+)@', lambda found: parts[found[1]], template)
    Path(target).write_text(page, encoding='utf-8')


def _warn_of_refused_pictures(boards: Sequence[Board]) -> None:
    folders = dict.fromkeys(entry.refused_pictures for board in boards for entry in board.entries)
    for folder in filter(None, folders):  # as repr: a folder's name may have control characters in it
        print_log(f'the page does without the images in {folder!r}: the folder must be in a run folder (TIME/TIME.log) '
                  'below the folder of the store. If you trust it, add --pictures FOLDER', logger='current',
                  level=logging.WARNING)


def _plotly() -> str:
    spec = find_spec('plotly')
    if spec is None or spec.origin is None:
        raise ImportError(f'the page needs plotly, which is not installed: {install_command("plotly")}')
    return (Path(spec.origin).parent / 'package_data' / 'plotly.min.js').read_text(encoding='utf-8')


def _board(board: Board) -> dict[str, Any]:
    names = _common_pictures(board.entries)
    return dict(title=board.title, metric=board.metric, metrics=board.metrics, lower=board.lower,
                rows=[_row(board, place, entry, names) for place, entry in enumerate(board.entries, 1)])


def _row(board: Board, place: int, entry: Entry, pictures: Sequence[str]) -> dict[str, Any]:
    columns, scores = entry.columns, entry.scores
    return dict(
        {name: columns[name] for name in _COLUMNS}, macs_in_billions=entry.cost.macs_in_billions,
        weights_in_millions=entry.cost.weights_in_millions, rank=place if board.metric in scores.metrics else None,
        model=model_text(entry), short=f'{entry.model.method}, {entry.model.backbone}', where=source_text(entry),
        partial=partial_text(entry), metrics=dict(scores.metrics), classes=dict(scores.classes.get('AP', {})),
        pictures=_pictures(entry, pictures))


def _common_pictures(entries: Sequence[Entry]) -> list[str]:
    """Names of the pictures that most rows have, and at least two: the same images, to be compared."""
    names = Counter(name for entry in entries if entry.conditions.pictures
                    for name in _image_names(entry.conditions.pictures))
    shared = [name for name, number in names.items() if number > 1]
    return sorted(shared, key=lambda name: (-names[name], name))[:_PICTURES]


def _image_names(folder: str) -> list[str]:
    """Return the names of the images in a folder, none if it cannot be listed."""
    try:
        return [name for name in os.listdir(folder) if Path(name).suffix.lower() in ('.jpg', '.jpeg', '.png')]
    except OSError:
        return []


def _pictures(entry: Entry, names: Sequence[str]) -> dict[str, str]:
    files = [Path(folder) / name for name in names] if (folder := entry.conditions.pictures) else []
    found = {file.name: _picture(file) for file in files if os.path.isfile(file)}
    return {name: picture for name, picture in found.items() if picture}


def _picture(file: Path) -> str:
    """A picture as an address; empty, and a warning, if it cannot be read."""
    from PIL import Image
    try:
        if not is_inside(file, file.parent):
            raise ValueError('the file must lie in its folder, got a symbolic link that leads out of it')
        return _encoded(Image.open(file, formats=('JPEG', 'PNG')))  # not EPS, for which PIL starts a program
    except Exception as error:  # a broken or huge image makes PIL raise almost anything
        print_log(f'the page does without the picture {str(file)!r}: {error}', logger='current', level=logging.WARNING)
        return ''


def _encoded(picture: Image) -> str:
    with picture:
        image = picture.convert('RGB')
    image.thumbnail((_PICTURE_WIDTH, _PICTURE_WIDTH))
    out = io.BytesIO()
    image.save(out, 'JPEG', quality=80)
    return 'data:image/jpeg;base64,' + base64.b64encode(out.getvalue()).decode()

"""Writer of the HTML page, which contains data, scripts and plotting library."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.entry import LOCAL
from hrnet_plugin.evaluation.leaderboard.page.data import page_data
from hrnet_plugin.evaluation.leaderboard.page.images import warn_of_refused_folders
from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.evaluation.leaderboard.trends import Trend
from hrnet_plugin.files import atomic_write
from hrnet_plugin.json_types import JsonObject
from hrnet_plugin.requirements import install_command

_HERE = Path(__file__).parent
SCRIPTS_FOLDER = _HERE / 'scripts'
#: Files in the folder of scripts, which run in this order in the scope of one function.
SCRIPTS = ('base', 'theme', 'columns', 'chooser', 'filters', 'address', 'table', 'groups', 'rows', 'configs',
           'own', 'download', 'plots', 'costs', 'labels', 'sizes', 'differences', 'pair', 'comparisons', 'analyses',
           'analysis_plots', 'trends', 'main')
# controls of the text direction, with which a name looks like another one, and halves of surrogate pairs
_UNSAFE_CHARACTERS = re.compile('[\u202a-\u202e\u2066-\u2069\ud800-\udfff]')


def write_page(boards: Sequence[Board], target: str | Path, title: str = 'HRNet leaderboard',
               comparisons: Sequence[JsonObject] = (), trends: Sequence[Trend] = ()) -> None:
    """Write the page atomically. See :func:`render_page`.

    Args:
        boards, title, comparisons, trends: Arguments of :func:`render_page`.
        target: Path of the HTML file.
    """
    text = render_page(boards, title, comparisons, trends)
    with atomic_write(target) as scratch:
        scratch.write_text(text, encoding='utf-8')


def render_page(boards: Sequence[Board], title: str = 'HRNet leaderboard', comparisons: Sequence[JsonObject] = (),
                trends: Sequence[Trend] = ()) -> str:
    """Return the page as HTML, and log a warning for each folder of visualizations that it does not read.

    Args:
        boards: Rankings, of which the page first shows the first.
        title: Title of the page.
        comparisons: Results of :func:`~hrnet_plugin.evaluation.comparison.compare.compare` as JSON objects.
        trends: Evaluations of training runs.

    Raises:
        ImportError: If plotly is not installed.
    """
    entries = [entry for board in boards for entry in board.entries]
    warn_of_refused_folders(entries)
    local = sum(entry.source == LOCAL for entry in entries)
    script, plotly = _script(), _plotly()
    parts = dict(
        title=html.escape(_safe(title)), css=_read('page.css'), script=script, plotly=plotly,
        hashes=f'{_csp_hash(script)} {_csp_hash(plotly)}',
        introduction=f'{len(entries)} rows: {local} of your results, and published results of the paper '
                     '(arXiv 1908.07919), its authors&rsquo; repositories, and the model zoos of mmdet, mmpose and '
                     'mmsegmentation.',
        footer='Made by hrnet_plugin. The page loads no external files. Plots: plotly.js (MIT).',
        data=_compact_json(page_data(boards, comparisons, trends)))
    return re.sub(r'@(\w+)@', lambda found: parts[found[1]], _read('page.html'))


def _safe(text: str) -> str:
    return _UNSAFE_CHARACTERS.sub('\ufffd', text)


def _csp_hash(script: str) -> str:
    """Return the source of a script for the Content Security Policy, which then allows no other script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _compact_json(data: JsonObject) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    return _safe(text).replace('<', '\\u003c')  # '<' could close the script element of the data


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding='utf-8')


def _script() -> str:
    files = '\n'.join((SCRIPTS_FOLDER / f'{name}.js').read_text(encoding='utf-8') for name in SCRIPTS)
    return f"'use strict';\n(() => {{\n{files}}})();"


def _plotly() -> str:
    spec = find_spec('plotly')
    if spec is None or spec.origin is None:
        raise ImportError(f'the page requires plotly, which is not installed: {install_command("plotly")}')
    return (Path(spec.origin).parent / 'package_data' / 'plotly.min.js').read_text(encoding='utf-8')

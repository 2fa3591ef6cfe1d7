"""Recorded files of analyses, of which the page reads only trusted ones.

A store may come from anyone, so a record may name any file. The rules are those of
:mod:`~hrnet_plugin.evaluation.leaderboard.visualizations`: a file is read only in a run folder of mmengine below the
folder of the store.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mmengine.logging import print_log

from hrnet_plugin.evaluation.analysis.analysis import Analysis
from hrnet_plugin.evaluation.analysis.files import is_analysis_file, read_analyses
from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.visualizations import is_trusted, resolve_folder
from hrnet_plugin.json_types import Json


def resolve_analysis(recorded: Json, store_folder: str | Path) -> str:
    """Return the absolute path of a trusted file of analyses, or '' if there is none.

    Args:
        recorded: Value of ``analysis`` in a record, of any type. Relative paths start at ``store_folder``.
        store_folder: Folder of the store.
    """
    if not isinstance(recorded, str) or not is_analysis_file(recorded):
        return ''
    folder = resolve_folder(os.path.dirname(recorded) or '.', store_folder)
    if not folder:
        return ''
    file = os.path.realpath(os.path.join(folder, os.path.basename(recorded)))
    trusted = is_analysis_file(file) and is_trusted(os.path.dirname(file), store_folder)
    return file if trusted and os.path.isfile(file) else ''


def entry_analyses(entry: Entry) -> dict[str, Analysis]:
    """Return the analyses of a row by kind. Log a warning and return none if its file is not valid.

    Args:
        entry: Row of :func:`~hrnet_plugin.evaluation.leaderboard.local_results.local_entries`.
    """
    if not entry.conditions.analysis:
        return {}
    try:
        return read_analyses(entry.conditions.analysis)
    except (OSError, ValueError) as error:
        print_log(f'The page has no analysis of record {entry.number} in {entry.store}: {error}', logger='current',
                  level=logging.WARNING)
        return {}

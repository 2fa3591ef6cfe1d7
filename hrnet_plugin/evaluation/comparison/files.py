"""Files of a comparison."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from hrnet_plugin.evaluation.analysis.files import write_tables
from hrnet_plugin.evaluation.comparison.comparison import Comparison
from hrnet_plugin.evaluation.comparison.text import as_markdown
from hrnet_plugin.files import atomic_write


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write ``comparison.md``, ``comparison.json`` and the CSV files of both analyses.

    Args:
        comparison: Comparison of two models.
        folder: Folder, which is created. Files of the same names are replaced.
    """
    files = {'comparison.md': as_markdown(comparison),
             'comparison.json': json.dumps(asdict(comparison), allow_nan=False) + '\n'}
    for name, text in files.items():
        with atomic_write(folder / name) as scratch:
            scratch.write_text(text, encoding='utf-8')
    write_tables(folder, list(zip(comparison.names, comparison.analyses)))

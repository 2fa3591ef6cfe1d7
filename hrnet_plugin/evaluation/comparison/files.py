"""Files of a comparison."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from hrnet_plugin.evaluation.analysis.files import as_tables
from hrnet_plugin.evaluation.comparison.comparison import Comparison
from hrnet_plugin.evaluation.comparison.text import as_markdown
from hrnet_plugin.files import atomic_writes


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write ``comparison.md``, ``comparison.json`` and the CSV files of both analyses.

    Args:
        comparison: Comparison of two models.
        folder: Folder, which is created. Files of the same names are replaced together, or not at all if one fails.
    """
    files = {'comparison.md': as_markdown(comparison),
             'comparison.json': json.dumps(asdict(comparison), allow_nan=False) + '\n',
             **as_tables(list(zip(comparison.names, comparison.analyses)))}
    with atomic_writes(folder) as scratch:
        for name, text in files.items():
            scratch(name).write_text(text, encoding='utf-8', newline='\n')

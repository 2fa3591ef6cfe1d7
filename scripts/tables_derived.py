"""Tables of derived configs, from the values that benchmarks/derived_configs.py writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from tables_cells import markdown_table

_Row = Mapping[str, str | float]


def derived_tables(root: Path) -> dict[str, str]:
    """Return name -> table of the report on derived configs.

    Args:
        root: Repository.
    """
    return {'hrnet': hrnet_table(_read(root, 'derived_hrnet')), 'detectors': detector_table(
        _read(root, 'derived_detectors'))}


def hrnet_table(rows: Sequence[_Row]) -> str:
    """Return the table of configs with an HRNet of their host, one line per folder."""
    header = ('host', 'folder', 'configs', 'equal', 'largest difference', 'exceptions')
    return markdown_table(header, _folders(rows))


def detector_table(rows: Sequence[_Row]) -> str:
    """Return the table of detectors with another backbone, one line per config."""
    header = ('kind', 'config of mmdet', 'neck', 'loss of a training step')
    return markdown_table(header, ((str(row['kind']), str(row['config']), str(row.get('neck', '-')), _result(row))
                                   for row in rows))


def _read(root: Path, name: str) -> Sequence[_Row]:
    rows: Sequence[_Row] = json.loads((root / 'benchmarks' / 'results' / f'{name}.json').read_text(encoding='utf-8'))
    return rows


def _folders(rows: Sequence[_Row]) -> Iterator[list[str]]:
    for (host, folder), group in groupby(rows, key=lambda row: (str(row['host']), str(row['kind']))):
        members = list(group)
        failed = [f'{row["config"]}: {row["error"]}' for row in members if row.get('error')]
        differences = [float(row['difference']) for row in members if 'difference' in row]
        most = f'{max(differences):.0e}' if differences else '-'
        yield [host, folder, str(len(members)), str(len(members) - len(failed)), most, '; '.join(failed) or '-']
    yield ['all', '', str(len(rows)), str(sum(not row.get('error') for row in rows)), '', '']


def _result(row: _Row) -> str:
    return f'refused: {row["error"]}' if row.get('error') else f'{float(row["loss"]):.2f}'

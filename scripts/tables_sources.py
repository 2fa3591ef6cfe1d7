"""Input of the tables: published results, checkpoints and configs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tables_families import FAMILIES, Family, sort_names

from hrnet_plugin.checkpoints.published import Published, read_csv, read_published

#: Row of a CSV file: column -> text. Each metric is a column.
Row = Mapping[str, str]
# server of checkpoints with the state-dict keys of the current hosts
_ZOOS = 'https://download.openmmlab.com/'


class Sources(NamedTuple):
    """Contents of the tables.

    Attributes:
        rows: Config -> published rows.
        checkpoints: All published checkpoints.
        released: Config -> checkpoint that its host released.
        memory: File name of a checkpoint -> published training memory in GB.
        configs: Folder -> names of its configs, in the order of tables.
        samples: Folder -> names of its configs for the sample set.
    """

    rows: Mapping[str, Sequence[Row]]
    checkpoints: Sequence[Published]
    released: Mapping[str, Published]
    memory: Mapping[str, str]
    configs: Mapping[str, Sequence[str]]
    samples: Mapping[str, Sequence[str]]

    def rows_of(self, config: str, source: str) -> list[Row]:
        """Return the rows of a config in a source."""
        return [row for row in self.rows.get(config, ()) if row['source'] == source]


def read_sources(root: Path) -> Sources:
    """Read the CSV files and list the configs of a repository."""
    package, configs = root / 'hrnet_plugin', {family.folder: _configs(root, family) for family in FAMILIES}
    rows = _read_rows(package / 'evaluation' / 'leaderboard' / 'published')
    checkpoints = read_published(package)
    by_config: dict[str, list[Row]] = {}
    for row in rows:
        by_config.setdefault(row['config'], []).append(row)
    _check_configs(by_config, configs)
    _check_folders(root)
    released = [row for row in checkpoints if row.address.startswith(_ZOOS)]
    _check_released(released, configs)
    return Sources(
        rows=by_config, checkpoints=checkpoints, configs=configs,
        released={row.config: row for row in released},
        memory={row['weights']: row['training_memory'] for row in rows if row.get('training_memory')},
        samples={family.folder: sorted(path.stem for path in (root / 'configs' / family.folder).glob('*_sample.py'))
                 for family in FAMILIES})


def _configs(root: Path, family: Family) -> list[str]:
    names = [path.stem for path in (root / 'configs' / family.folder).glob('*.py') if not path.stem.endswith('_sample')]
    return sort_names(names, family)


def _read_rows(folder: Path) -> list[Row]:
    ranked = [row for task in ('detection', 'pose', 'segmentation') for row in read_csv(folder / f'{task}.csv')]
    unranked = [{**row, row['metric']: row['value']} for row in read_csv(folder / 'unranked.csv')]
    return [*ranked, *unranked]


def _check_configs(rows: Mapping[str, Sequence[Row]], configs: Mapping[str, Sequence[str]]) -> None:
    unknown = set(rows) - {''} - {name for names in configs.values() for name in names}
    if unknown:
        raise ValueError(f'The column config must name a shipped config, got {", ".join(sorted(unknown))}.')


def _check_folders(root: Path) -> None:
    folders = {path.parent.name for path in (root / 'configs').glob('*/*.py') if not path.parent.name.startswith('_')}
    unknown = folders - {family.folder for family in FAMILIES}
    if unknown:
        raise ValueError(f'Each folder of configs must be in FAMILIES, got {", ".join(sorted(unknown))}.')


def _check_released(rows: Sequence[Published], configs: Mapping[str, Sequence[str]]) -> None:
    shipped = {name for names in configs.values() for name in names}
    twice = [name for name, count in Counter(row.config for row in rows).items() if count > 1 and name in shipped]
    if twice:
        raise ValueError(f'A config must have one released checkpoint, got several for {", ".join(twice)}.')

"""Plan of a row: its config, and the data and weights that its test requires."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, DictAction

from hrnet_plugin.config_files import find_config, relocate_data
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import logged_prefixes
from hrnet_plugin.experiments.reproduction.data import data_paths
from hrnet_plugin.experiments.reproduction.row import Row
from hrnet_plugin.experiments.reproduction.weights import Weights, find_weights
from hrnet_plugin.hosts import host_of_config

#: Function that describes an error in one line.
Describe = Callable[[BaseException], str]


@dataclass(frozen=True, kw_only=True)
class BrokenRow:
    """Row that cannot be tested.

    Attributes:
        row: Row to reproduce.
        error: Reason in one line.
    """

    row: Row
    error: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Requirements of the test of a row.

    Attributes:
        row: Row to reproduce.
        config: Config with the changes of the row and of the data folder.
        data_root: Data folder that replaces the one of the config, or None.
        paths: Files and folders that the test reads.
        weights: Checkpoint.
    """

    row: Row
    config: Config
    data_root: str | None
    paths: tuple[Path, ...]
    weights: Weights

    @property
    def missing_paths(self) -> tuple[Path, ...]:
        """Files and folders that do not exist."""
        return tuple(path for path in self.paths if not path.exists())

    @property
    def hours(self) -> float | None:
        """Published time per image times the number of images, or None without a published time."""
        if self.row.ms is None:
            return None
        sizes = host_of_config(self.config).splits.get((self.row.data, self.row.split), ())
        images = self.row.images or next(iter(sizes), None)
        return None if images is None else self.row.ms * images / 3.6e6


def plan_rows(rows: Iterable[Row], data_roots: Mapping[str, str], weights: Path | None,
              describe: Describe) -> list[Plan | BrokenRow]:
    """Read the configs of rows, and find out what their tests require.

    Args:
        rows: Rows to reproduce.
        data_roots: Dataset -> data folder, as for ``hrnet test --data-root``. The dataset '' stands for all others.
        weights: Folder of downloaded checkpoints, or None.
        describe: Function that describes an error in one line.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', message='pkg_resources is deprecated')  # by mmengine, for each base config
        return [_plan(row, data_roots.get(row.data, data_roots.get('')), weights, describe) for row in rows]


def _plan(row: Row, data_root: str | None, weights: Path | None, describe: Describe) -> Plan | BrokenRow:
    try:
        config = _tested_config(row, data_root)
        return Plan(row=row, config=config, data_root=data_root, paths=data_paths(config),
                    weights=find_weights(row, weights))
    except Exception as error:  # configs are programs, which may raise anything
        return BrokenRow(row=row, error=describe(error))


def _tested_config(row: Row, data_root: str | None) -> Config:
    config = find_config(row.config)
    if data_root is not None:
        config.merge_from_dict(relocate_data(config, data_root))
    if row.options:
        parser = argparse.ArgumentParser()
        parser.add_argument('--options', nargs='+', action=DictAction)
        config.merge_from_dict(parser.parse_args(['--options', *row.options]).options)
    number = len(logged_prefixes(config))
    if number > 1:
        raise ValueError(f'config must test one dataset, got {number} in {config.filename}. Write a config for each.')
    return config

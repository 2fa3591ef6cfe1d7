"""One run of a study: a variant with a seed, in a folder of its own, and what is kept of it when it has finished."""

from __future__ import annotations

import json
import os
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hrnet_plugin.config_files import moved_data, read_config
from hrnet_plugin.experiments.ablation.study import Study, Variant
from hrnet_plugin.files import replacing
from hrnet_plugin.json_types import JsonObject
from hrnet_plugin.training.run_logs import read_scalars


@dataclass(frozen=True)
class Result:
    """What is kept of a finished run.

    Attributes:
        variant: Name of the variant.
        seed: Of all random numbers.
        metrics: Title -> value at the evaluation behind the training; None where it measured nothing.
        step_seconds: Median of the times that the run logged for a training step; None if it logged none.
        setting: What it ran on, and how many ran beside it.
    """
    variant: str
    seed: int
    metrics: dict[str, float | None]
    step_seconds: float | None
    setting: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A variant with a seed.

    Args:
        study: What it belongs to.
        variant: One of the study's.
        seed: Of all random numbers.
        root: The study's folder.
        data_root: Folder of the data; None for the config's own.
    """
    study: Study
    variant: Variant
    seed: int
    root: Path
    data_root: str | None = None

    @property
    def title(self) -> str:
        """For people."""
        return f'{self.variant.name}, seed {self.seed}'

    @property
    def folder(self) -> Path:
        """Where all of it lies."""
        return self.root / 'runs' / self.variant.folder / f'seed_{self.seed}'

    def config(self) -> Config:
        """What is trained.

        Raises:
            ValueError: If a data root is given, and the config has no path to be moved there.
        """
        config = self.variant.trained_config()
        if self.data_root is not None:
            config.merge_from_dict(moved_data(config, os.path.abspath(self.data_root)))
        config.merge_from_dict({
            'randomness.seed': self.seed,
            # a run that was killed goes on as if it had not been
            'default_hooks.random_state.type': 'hrnet_plugin.RandomStateHook',
        })
        return config

    def result(self) -> Result | None:
        """What is kept of it; None until it has finished.

        Raises:
            ValueError: If it was begun with another config.
        """
        begun = self.folder / 'config.py'
        if begun.is_file() and not _same_entries(read_config(begun), self.config()):
            raise ValueError(f'{begun} is of another config or data root than the study has now: choose another '
                             '--work-dir, or delete the folder to run it again')
        path = self.folder / 'result.json'
        return Result(**json.loads(path.read_text(encoding='utf-8'))) if path.is_file() else None

    def command(self) -> list[str]:
        """What runs it, from where it was interrupted if it was; its config is written for that."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / 'config.py'
        path.write_text(self.config().pretty_text, encoding='utf-8')
        return [sys.executable, '-m', 'hrnet_plugin.experiments.ablation.train', str(path), str(self.folder / 'work')]

    def keep(self, setting: JsonObject) -> Result:
        """Read the logs of the finished run, and write what is kept of it.

        Args:
            setting: What it ran on.

        Raises:
            FileNotFoundError: If it logged no such metric.
        """
        records = read_scalars(self.folder / 'work')
        keys = self.study.metrics
        last = next((record for record in reversed(records) if keys[self.study.metric] in record), None)
        if last is None:
            raise FileNotFoundError(f'{self.folder} has logged no {keys[self.study.metric]}')
        times = [record['time'] for record in records if 'loss' in record and 'time' in record]
        metrics = {title: _measured(last.get(key), self.study.scale) for title, key in keys.items()}
        result = Result(self.variant.name, self.seed, metrics, statistics.median(times) if times else None,
                        dict(setting))
        with replacing(self.folder / 'result.json') as scratch:
            scratch.write_text(json.dumps(asdict(result), indent=1) + '\n', encoding='utf-8')
        return result


def _same_entries(begun: Config, config: Config) -> bool:
    # by entries, not by text: the order of entries differs between versions of the shipped bases
    return bool(begun.to_dict() == Config.fromstring(config.pretty_text, '.py').to_dict())


def _measured(value: float | None, scale: float) -> float | None:
    # COCO's tools give -1 where there was nothing to measure
    return value * scale if value is not None and value >= 0 else None


def all_runs(study: Study, root: Path, data_root: str | None, seeds: int) -> list[Run]:
    """All runs, in the order in which a study that is cut short is worth most: every variant with the first seed, then
    with the next one."""
    return [Run(study, variant, seed, root, data_root) for seed in range(seeds) for variant in study.variants]

"""One run of a study: a variant with a seed, in a folder of its own, and what is kept of it when it has finished."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from mmengine.config import Config

from hrnet_plugin.ablation.study import Study, Variant
from hrnet_plugin.config_files import moved_data
from hrnet_plugin.run_logs import read_scalars


@dataclass(frozen=True)
class Result:
    """What is kept of a finished run.

    Attributes:
        variant: Name of the variant.
        seed: Of all random numbers.
        metrics: Title -> value at the last evaluation; None where it measured nothing.
        step_seconds: Median of the times that the run logged for a training step.
        config: Fingerprint of what was trained.
    """
    variant: str
    seed: int
    metrics: dict[str, float | None]
    step_seconds: float
    config: str


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
            ValueError: If what is kept is of another config.
        """
        path = self.folder / 'result.json'
        if not path.is_file():
            return None
        result = Result(**json.loads(path.read_text()))
        if result.config != _fingerprint(self.config()):
            raise ValueError(f'{path} is of another config or data root than the study has now: choose another '
                             '--work-dir, or delete the folder to run it again')
        return result

    def command(self) -> list[str]:
        """What runs it, from where it was interrupted if it was; its config is written for that."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / 'config.py'
        self.config().dump(path)
        return [sys.executable, '-m', 'hrnet_plugin.tools.train', str(path), '--work-dir', str(self.folder / 'work'),
                '--resume']

    def keep(self) -> Result:
        """Read the logs of the finished run, and write what is kept of it.

        Raises:
            FileNotFoundError: If it logged no such metric.
        """
        records = read_scalars(self.folder / 'work')
        keys = self.study.metrics
        last = next((record for record in reversed(records) if keys[self.study.metric] in record), None)
        if last is None:
            raise FileNotFoundError(f'{self.folder} has logged no {keys[self.study.metric]}')
        # COCO's tools give -1 where there was nothing to measure
        values = {title: last.get(key, -1) for title, key in keys.items()}
        metrics = {title: None if value < 0 else value * self.study.scale for title, value in values.items()}
        result = Result(self.variant.name, self.seed, metrics, statistics.median(
            record['time'] for record in records if 'loss' in record), _fingerprint(self.config()))
        partial = self.folder / 'result.json.partial'
        partial.write_text(json.dumps(asdict(result), indent=1) + '\n')
        partial.replace(self.folder / 'result.json')
        return result


def all_runs(study: Study, root: Path, data_root: str | None, seeds: int) -> list[Run]:
    """All runs, in the order in which a study that is cut short is worth most: every variant with the first seed, then
    with the next one."""
    return [Run(study, variant, seed, root, data_root) for seed in range(seeds) for variant in study.variants]


def _fingerprint(config: Config) -> str:
    return hashlib.sha256(config.pretty_text.encode()).hexdigest()

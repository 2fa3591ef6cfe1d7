"""Runs of an ablation study, each a variant with a seed in its own folder, and their stored results."""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hrnet_plugin.config_files import read_config, relocate_data
from hrnet_plugin.evaluation.detections import is_finite_number, short
from hrnet_plugin.experiments.ablation.study import Study, Variant
from hrnet_plugin.files import atomic_write
from hrnet_plugin.json_files import read_object
from hrnet_plugin.json_types import Json, JsonObject
from hrnet_plugin.training.run_logs import read_scalars

_WHAT = 'a result of this study'


@dataclass(frozen=True)
class Result:
    """Stored result of a finished run.

    Attributes:
        variant: Name of the variant.
        seed: Random seed.
        metrics: Title -> value of the evaluation after training. None if the metric is undefined.
        step_seconds: Median of the logged times per iteration in seconds. None if the run logged none.
        setting: Hardware, versions, number of threads per run and number of parallel runs.
    """
    variant: str
    seed: int
    metrics: dict[str, float | None]
    step_seconds: float | None
    setting: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """Variant of a study with a seed.

    Args:
        study: Study of the run.
        variant: Variant to train.
        seed: Random seed.
        root: Folder of the study.
        data_root: Data folder that replaces the ``data_root`` of the config. None keeps that of the config.
    """
    study: Study
    variant: Variant
    seed: int
    root: Path
    data_root: str | None = None

    @property
    def title(self) -> str:
        """Name of the run in messages."""
        return f'{self.variant.name}, seed {self.seed}'

    @property
    def folder(self) -> Path:
        """Folder with all files of the run."""
        return self.root / 'runs' / self.variant.folder / f'seed_{self.seed}'

    def config(self) -> Config:
        """Return the config to train.

        Raises:
            ValueError: ``data_root`` is given, and the config has no path below its own ``data_root``.
        """
        config = self.variant.trained_config()
        if self.data_root is not None:
            config.merge_from_dict(relocate_data(config, os.path.abspath(self.data_root)))
        config.merge_from_dict({
            'randomness.seed': self.seed,
            # a resumed run draws the same random numbers as an uninterrupted one
            'default_hooks.random_state.type': 'hrnet_plugin.RandomStateHook',
        })
        return config

    def result(self) -> Result | None:
        """Return the stored result, or None if the run has not finished.

        Raises:
            ValueError: The run was started with another config, or the file of the result is invalid.
        """
        started = self.folder / 'config.py'
        if started.is_file() and not _is_config(started, self.config()):
            raise ValueError(f'{started} must have the current config and data root of the study, got another one. '
                             'Choose another --work-dir, or delete the folder to repeat the run.')
        path = self.folder / 'result.json'
        return _read_result(path, self.study.metrics) if path.is_file() else None

    def command(self) -> list[str]:
        """Write the config of the run, and return the command that starts or resumes it."""
        path = self.folder / 'config.py'
        with atomic_write(path) as scratch:
            scratch.write_text(self.config().pretty_text, encoding='utf-8')
        return [sys.executable, '-m', 'hrnet_plugin.experiments.ablation.train', str(path), str(self.folder / 'work')]

    def save_result(self, setting: JsonObject) -> Result:
        """Read the logs of the finished run, and store its result.

        Args:
            setting: Hardware, versions and numbers of threads and parallel runs.

        Raises:
            FileNotFoundError: The run logged no value of the study's main metric.
        """
        records = read_scalars(self.folder / 'work')
        keys = self.study.metrics
        last = next((record for record in reversed(records) if keys[self.study.metric] in record), None)
        if last is None:
            raise FileNotFoundError(f'{self.folder} has no logged {keys[self.study.metric]}')
        times = [time for record in records if 'loss' in record and math.isfinite(time := record.get('time', math.nan))]
        metrics = {title: _measured(last.get(key), self.study.scale) for title, key in keys.items()}
        result = Result(self.variant.name, self.seed, metrics, statistics.median(times) if times else None,
                        dict(setting))
        with atomic_write(self.folder / 'result.json') as scratch:
            scratch.write_text(json.dumps(asdict(result), indent=1) + '\n', encoding='utf-8')
        return result


def _read_result(path: Path, metrics: Collection[str]) -> Result:
    found = read_object(path, _WHAT)
    checks: dict[str, Callable[[Any], bool]] = {
        'variant': lambda value: isinstance(value, str),
        'seed': lambda value: type(value) is int,
        'metrics': lambda value: isinstance(value, dict) and set(metrics) <= set(value) and all(
            map(_is_value, value.values())),
        'step_seconds': _is_value,
        'setting': lambda value: isinstance(value, dict)}
    wrong = {name: found.get(name) for name, is_valid in checks.items() if not is_valid(found.get(name))}
    if wrong or set(found) != set(checks):
        raise ValueError(f'{path} must be {_WHAT} with valid {", ".join(wrong or checks)}, got '
                         f'{short(wrong or found)}. Delete the file to repeat the run.')
    return Result(**found)


def _is_value(value: Json) -> bool:
    return value is None or is_finite_number(value)


def _is_config(started: Path, config: Config) -> bool:
    """Return True if a file has the entries of a config, or the beginning of its text, which a killed process left."""
    text = config.pretty_text
    if text.startswith(started.read_text(encoding='utf-8', errors='replace')):
        return True
    # by entries, not by text: the order of entries differs between versions of the shipped bases
    return bool(read_config(started).to_dict() == Config.fromstring(text, '.py').to_dict())


def _measured(value: float | None, scale: float) -> float | None:
    # the COCO API returns -1 for undefined metrics
    return value * scale if value is not None and 0 <= value < math.inf else None


def all_runs(study: Study, root: Path, data_root: str | None, seeds: int) -> list[Run]:
    """Return all runs: every variant with the first seed, then every variant with the next one.

    In this order, an interrupted study has results of all variants as early as possible.
    """
    return [Run(study, variant, seed, root, data_root) for seed in range(seeds) for variant in study.variants]

"""What a study compares: variants of a config, each trained with several seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from hrnet_plugin.checks import check_choice, check_int, check_ints
from hrnet_plugin.config_files import CONFIGS, find_config, read_config

STUDIES = CONFIGS / '_studies_'
_KEYS = ('config', 'variants', 'metrics', 'scale', 'shape', 'seeds', 'options')
_VARIANT_KEYS = ('config', 'options', 'published')


@dataclass(frozen=True)
class Variant:
    """One row of a study's table.

    Args:
        name: Its title; also the name of its folder, without what files' names cannot have.
        config: Path or name of the config that is trained.
        options: Entries of the config to change, by their dotted names.
        published: Figures of the same row in a paper, by the table's titles.
    """
    name: str
    config: str
    options: Mapping[str, Any]
    published: Mapping[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name as a folder's."""
        return ''.join(c if c.isalnum() else '-' for c in self.name.lower()).strip('-')

    def trained_config(self) -> Config:
        """The config with its changes."""
        config = find_config(self.config)
        config.merge_from_dict(dict(self.options))
        return config


@dataclass(frozen=True)
class Study:
    """A study.

    Args:
        name: Of its file.
        variants: Its rows; the first is what the others are compared with.
        metrics: Title -> key in the logs of evaluations; the first is the one that counts.
        scale: Factor of all metrics: 100 where the logs have shares and the table per cents.
        shape: Height and width of an image for the counts, in pixels.
        seeds: How many, from 0 on.
    """
    name: str
    variants: tuple[Variant, ...]
    metrics: Mapping[str, str]
    scale: float
    shape: tuple[int, int]
    seeds: int

    @property
    def metric(self) -> str:
        """Title of the metric that counts."""
        return next(iter(self.metrics))


def list_studies() -> dict[str, Path]:
    """Studies that the package ships: name -> path."""
    return {path.stem: path for path in sorted(STUDIES.glob('*.py'))}


def read_study(name: str) -> Study:
    """A study by the path of its file, or by the name of a shipped one.

    The file is in the style of a config: ``config`` (name or path, for all variants that name none), ``options`` (for
    all variants), ``variants`` (title -> mapping with any of ``config``, ``options``, ``published``), ``metrics``,
    ``scale`` (1), ``shape``, and ``seeds`` (3).

    Raises:
        FileNotFoundError: If there is no such study, or a config that it names.
        TypeError, ValueError: If an entry is missing or wrong; the message names it.
    """
    path = Path(name) if Path(name).is_file() else list_studies().get(Path(name).name.removesuffix('.py'))
    if path is None:
        known = ', '.join(list_studies())
        raise FileNotFoundError(f'study must be one of {known}, or the path of a file, got {name!r}')
    try:
        return _study(path, read_config(path).to_dict())
    except (TypeError, ValueError) as error:
        raise type(error)(f'{path}: {error}') from None


def _study(path: Path, entries: Mapping[str, Any]) -> Study:
    for key in entries:
        check_choice('each entry', key, _KEYS)
    for key in ('variants', 'metrics'):
        if not _mapping(key, entries.get(key)):
            raise ValueError(f'{key} must have entries, got none')
    for title, key in entries['metrics'].items():
        if not isinstance(key, str):
            raise TypeError(f'metrics[{title!r}] must be a key of the logs, got {key!r}')
    seeds, scale = entries.get('seeds', 3), entries.get('scale', 1)
    check_int('seeds', seeds, 1)
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not scale > 0:
        raise ValueError(f'scale must be a number above 0, got {scale!r}')
    height, width = check_ints('shape', entries.get('shape'), 2)
    variants = tuple(_variant(path, title, given, entries) for title, given in entries['variants'].items())
    folders = [variant.folder for variant in variants]
    if len(set(folders)) < len(folders) or '' in folders:
        raise ValueError('variants must have names that differ in letters and digits, got '
                         + ', '.join(entries['variants']))
    return Study(path.stem, variants, entries['metrics'], scale, (height, width), seeds)


def _variant(path: Path, title: str, given: Any, entries: Mapping[str, Any]) -> Variant:
    name = f'variants[{title!r}]'
    for key in _mapping(name, given):
        check_choice(f'each key of {name}', key, _VARIANT_KEYS)
    config = given.get('config', entries.get('config'))
    if not isinstance(config, str):
        raise TypeError(f'{name} must name a config, or the study one for all, got {config!r}')
    beside = path.parent / config
    config = str(beside) if beside.is_file() else config
    find_config(config)
    options = {**_mapping('options', entries.get('options', {})),
               **_mapping(f'{name} options', given.get('options', {}))}
    published = _mapping(f'{name} published', given.get('published', {}))
    for metric in published:
        check_choice(f'each key of {name} published', metric, entries['metrics'])
    return Variant(title, config, options, published)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f'{name} must be a mapping, got {value!r}')
    return value

"""Definition of an ablation study: variants of a config, each trained with several seeds."""

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
    """Variant of a config, one row of a study's table.

    Args:
        name: Title of the row.
        config: Path or name of the config to train.
        options: Entries of the config to change: dotted name -> value.
        published: Published values of the same row: title of a metric -> value.
    """
    name: str
    config: str
    options: Mapping[str, Any]
    published: Mapping[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Name of the folder: the variant's name in lower case, with ``-`` for other characters."""
        return ''.join(c if c.isalnum() else '-' for c in self.name.lower()).strip('-')

    def trained_config(self) -> Config:
        """Return the config with the options of the variant."""
        config = find_config(self.config)
        config.merge_from_dict(dict(self.options))
        return config


@dataclass(frozen=True)
class Study:
    """Ablation study.

    Args:
        name: Name of the study file without its suffix.
        variants: Variants. The others are compared with the first one.
        metrics: Title -> key in the evaluation logs. The first metric is the main one.
        scale: Factor of all metrics, e.g. 100 to show logged fractions in percent.
        shape: Height and width in pixels of the image for which operations are counted.
        seeds: Number of seeds. They are 0, 1, ...
    """
    name: str
    variants: tuple[Variant, ...]
    metrics: Mapping[str, str]
    scale: float
    shape: tuple[int, int]
    seeds: int

    @property
    def metric(self) -> str:
        """Title of the main metric."""
        return next(iter(self.metrics))


def list_studies() -> dict[str, Path]:
    """Return the shipped studies: name -> path."""
    return {path.stem: path for path in sorted(STUDIES.glob('*.py'))}


def read_study(name: str) -> Study:
    """Read a study.

    The file has the syntax of a config, with these entries:

    - ``config``: name or path of the config of all variants that have none.
    - ``options``: entries of the config to change in all variants.
    - ``variants``: title -> mapping with any of ``config``, ``options``, ``published``.
    - ``metrics``, ``scale`` (default: 1), ``shape`` and ``seeds`` (default: 3), as in :class:`Study`.

    Args:
        name: Path of a study file, or name of a shipped study.

    Raises:
        FileNotFoundError: The study or one of its configs does not exist.
        TypeError, ValueError: An entry is missing or invalid.
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
            raise TypeError(f'metrics[{title!r}] must be a key of the evaluation logs, got {key!r}')
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
        raise TypeError(f'config of {name} or of the study must be the name or path of a config, got {config!r}')
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

"""Lookup and reading of the configs that are shipped with the plugin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, DefaultScope

from hrnet_plugin.config_bases import cached_bases
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.requirements import install_command
from hrnet_plugin.suggest import did_you_mean

CONFIGS = Path(__file__).resolve().parent / '.mim' / 'configs'


def cfg(name: str) -> str:
    """Return the absolute path of a shipped config, to inherit from.

    mmengine does not support ``_base_ = 'hrnet_plugin::...'``, but evaluates this line with the tools of every host::

        _base_ = [__import__('hrnet_plugin').cfg('faster-rcnn_hrnetv2p-w18_1x_coco')]

    Args:
        name: File name of the config, with or without its folder and ``.py``.

    Raises:
        FileNotFoundError: If there is no such config. The message suggests the closest names.
    """
    stem, folders = Path(name).name.removesuffix('.py'), Path(name).parent.parts
    configs = list_configs()
    # not a shipped config instead of a missing file of the same name
    if stem not in configs or folders != configs[stem].parent.parts[-len(folders):][:len(folders)]:
        raise FileNotFoundError(f'config must be the name of a shipped config or the path of a file, got {name!r}.'
                                f'{did_you_mean(stem, configs, count=3)} All shipped configs: hrnet config')
    return str(configs[stem])


def read_config(path: str | Path) -> Config:
    """Read a config with its bases.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If a base belongs to a host that is not installed. The message has the install command.
    """
    try:
        with cached_bases():
            return Config.fromfile(str(path))
    except ModuleNotFoundError as error:
        missing = re.match(r'(\w+) is not installed', str(error))
        if missing is None:
            raise
        raise ImportError(f'{path} inherits from {missing[1]}, which is not installed: {install_command(missing[1])}'
                          ) from None


def find_config(name: str) -> Config:
    """Read a config by its path, or a shipped config by its name.

    Raises:
        FileNotFoundError, ImportError: See :func:`cfg` and :func:`read_config`.
    """
    return read_config(name if Path(name).is_file() else cfg(name))


def relocate_data(config: Config, data_root: str) -> dict[str, ConfigValue]:
    """Return the entries of a config that change when its ``data_root`` is replaced.

    Args:
        config: Config with ``data_root``. It is not changed.
        data_root: New folder.

    Returns:
        ``data_root``, and the dataloaders and evaluators with all paths below the old ``data_root`` replaced.

    Raises:
        ValueError: If the config has no ``data_root``, or no dataloader has a path below it.
    """
    old = config.get('data_root')
    if not isinstance(old, str):
        raise ValueError(f"--data-root requires a config with the entry 'data_root', got {config.filename} without")
    new = os.path.join(data_root, '')

    def moved(value: ConfigValue) -> ConfigValue:
        if isinstance(value, dict):
            return {key: moved(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(moved(entry) for entry in value)
        if isinstance(value, str) and (value == old.rstrip('/') or value.startswith(old.rstrip('/') + '/')):
            return new + value[len(old.rstrip('/')) + 1:]
        return value

    keys = [f'{split}_{part}' for split in ('train', 'val', 'test') for part in ('dataloader', 'evaluator')]
    entries = {key: config[key] for key in keys if config.get(key) is not None}
    changed = {key: moved(entry) for key, entry in entries.items()}
    if new.rstrip('/') != old.rstrip('/') and changed == entries:
        raise ValueError(f'--data-root requires dataloaders with paths below the config\'s data_root {old!r}, got '
                         'none. A config that overrides data_root must also override it in its datasets')
    return {'data_root': new, **changed}


def find_test_dataset(config: Config) -> ConfigDict:
    """Return the config entry of the test dataset, without dataset wrappers.

    Raises:
        ValueError: If the config tests several datasets.
    """
    datasets = find_test_datasets(config)
    if len(datasets) != 1:
        raise ValueError(f'config must test one dataset, got {len(datasets)}. Set test_dataloader.dataset to one of '
                         'them')
    return datasets[0]


def find_test_datasets(config: Config) -> list[ConfigDict]:
    """Return the config entries of the test datasets, without wrappers such as ``ConcatDataset``."""
    return [cfg for _, cfg in innermost_datasets('', config.test_dataloader.dataset)]


def innermost_datasets(entry: str, cfg: ConfigDict) -> Iterator[tuple[str, ConfigDict]]:
    """Yield path and config of each dataset without wrappers such as ``RepeatDataset`` and ``ConcatDataset``.

    Args:
        entry: Path of the dataset in the config.
        cfg: Config of the dataset.
    """
    if isinstance(cfg.get('dataset'), dict):
        yield from innermost_datasets(f'{entry}.dataset', cfg['dataset'])
    elif isinstance(cfg.get('datasets'), (list, tuple)):
        for k, part in enumerate(cfg['datasets']):
            yield from innermost_datasets(f'{entry}.datasets[{k}]', part)
    else:
        yield entry, cfg


def build_lazily(cfg: ConfigDict, scope: str | None) -> BaseDataset:
    """Build a dataset without reading its annotations, and without its pipeline, which may need files of its own.

    Args:
        cfg: Config of the dataset.
        scope: ``default_scope`` of the config.
    """
    with DefaultScope.overwrite_default_scope(scope):
        return DATASETS.build(dict(cfg, lazy_init=True, pipeline=[]))


def list_configs() -> dict[str, Path]:
    """Return name without ``.py`` -> path of all shipped configs, except those that are bases only."""
    return {path.stem: path for path in sorted(CONFIGS.rglob('*.py')) if not path.parent.name.startswith('_')}

"""Finding and reading the configs that the plugin ships."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mmengine.config import Config, ConfigDict

from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.requirements import install_command
from hrnet_plugin.suggest import did_you_mean

CONFIGS = Path(__file__).resolve().parent / '.mim' / 'configs'


def cfg(name: str) -> str:
    """Absolute path of a shipped config, for use as a base of another one.

    mmengine refuses ``_base_ = 'hrnet_plugin::...'``, but evaluates this line, under every host's tools::

        _base_ = [__import__('hrnet_plugin').cfg('faster-rcnn_hrnetv2p-w18_1x_coco')]

    Args:
        name: File name of the config, with or without its folder and ``.py``.

    Raises:
        FileNotFoundError: If there is no such config; the message names the nearest ones.
    """
    stem = Path(name).name.removesuffix('.py')
    configs = list_configs()
    if stem not in configs:
        raise FileNotFoundError(f'config must be the name of a shipped config or the path of a file, got {name!r}.'
                                f'{did_you_mean(stem, configs, count=3)} All shipped configs: hrnet config')
    return str(configs[stem])


def read_config(path: str | Path) -> Config:
    """A config with all that it inherits.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If it inherits from a host that is not installed; the message has the command that installs it.
    """
    try:
        return Config.fromfile(str(path))
    except ModuleNotFoundError as error:
        missing = re.match(r'(\w+) is not installed', str(error))
        if missing is None:
            raise
        raise ImportError(f'{path} inherits from {missing[1]}, which is not installed: {install_command(missing[1])}'
                          ) from None


def find_config(name: str) -> Config:
    """A config by the path of a file, or by the name of a shipped one.

    Raises:
        FileNotFoundError, ImportError: As :func:`cfg` and :func:`read_config` do.
    """
    return read_config(name if Path(name).is_file() else cfg(name))


def moved_data(config: Config, data_root: str) -> dict[str, ConfigValue]:
    """The config's dataloaders and evaluators with every path below its ``data_root`` moved to another folder."""
    old = config.get('data_root')
    if not isinstance(old, str):
        raise ValueError(f"--data-root needs a config with the entry 'data_root', got {config.filename} without")
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
        raise ValueError(f'--data-root moves paths below the config\'s data_root, {old!r}, of which its dataloaders '
                         'have none; a config that sets data_root itself has to set it in its datasets, too')
    return {'data_root': new, **changed}


def tested_dataset(config: Config) -> ConfigDict:
    """The entry of the data set that a config tests, inside those that wrap it."""
    dataset = config.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset


def list_configs() -> dict[str, Path]:
    """All shipped configs that can be run: name without ``.py`` -> path."""
    return {path.stem: path for path in sorted(CONFIGS.rglob('*.py')) if not path.parent.name.startswith('_')}

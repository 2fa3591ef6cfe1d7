"""Lookup of the configs that the hosts ship."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hrnet_plugin.hosts import HOSTS, Host
from hrnet_plugin.suggest import did_you_mean


@dataclass(frozen=True)
class HostConfig:
    """Config that a host ships.

    Attributes:
        host: Adapter of the host.
        name: Path below the host's folder of configs, with ``.py``.
        path: Path of the file.
    """

    host: Host
    name: str
    path: Path

    @property
    def base(self) -> str:
        """Entry ``_base_`` of a config that inherits this one."""
        return f'{self.host.name}::{self.name}'


def list_host_configs(host: Host) -> list[HostConfig]:
    """Return all configs that a host ships, except those in folders of bases.

    Raises:
        ImportError: If the host is not installed.
    """
    spec = find_spec(host.name)
    if spec is None or spec.origin is None:
        raise ImportError(f'{host.name} is not installed: {host.install_command}')
    root = Path(spec.origin).parent / '.mim' / 'configs'
    names = [path.relative_to(root) for path in sorted(root.rglob('*.py'))]
    return [HostConfig(host, name.as_posix(), root / name) for name in names if '_base_' not in name.parts]


def find_host_config(address: str) -> HostConfig:
    """Return a config of a host.

    Args:
        address: 'HOST::CONFIG', such as 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'. Folder and ``.py`` may be
            omitted if the name is unique.

    Raises:
        ValueError: If there is no such host, or several configs have this name.
        FileNotFoundError: If the host has no such config. The message suggests the closest names.
        ImportError: If the host is not installed.
    """
    scope, separator, name = address.partition('::')
    if not separator or scope not in HOSTS:
        raise ValueError(f'config must be HOST::CONFIG, where HOST is one of {", ".join(HOSTS)}, got {address!r}.'
                         f'{did_you_mean(scope, HOSTS) if separator else ""}')
    name, configs = name.removesuffix('.py'), list_host_configs(HOSTS[scope])
    found = [config for config in configs if name in (config.name.removesuffix('.py'), config.path.stem)]
    if not found:
        raise FileNotFoundError(f'config must be one that {scope} ships, got {name!r}.{_suggestions(name, configs)}')
    if len(found) > 1:
        raise ValueError(f'config must be unique, got {name!r}. Add its folder: '
                         f'{" or ".join(config.base for config in found)}')
    return found[0]


def _suggestions(name: str, configs: Iterable[HostConfig]) -> str:
    names = [config.name.removesuffix('.py') if '/' in name else config.path.stem for config in configs]
    return did_you_mean(name, names, count=3)

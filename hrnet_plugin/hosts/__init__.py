"""Host libraries: one adapter per host, which is all that this package knows about it.

A host is a library of the OpenMMLab family that builds models from configs, e.g. mmdet. To support another one, write
its adapter and add it to :data:`HOSTS`. Adapters import their host when it is used, and nothing else of this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.hosts.host import Host, Metric, NetworkDefaults, fixed_input_size
from hrnet_plugin.hosts.mmdet import MMDET
from hrnet_plugin.hosts.mmpose import MMPOSE
from hrnet_plugin.hosts.mmpretrain import MMPRETRAIN
from hrnet_plugin.hosts.mmseg import MMSEG
from hrnet_plugin.hosts.names import type_name

if TYPE_CHECKING:
    from mmengine.config import Config

__all__ = ['HOSTS', 'MMDET', 'MMPOSE', 'MMPRETRAIN', 'MMSEG', 'Host', 'Metric', 'NetworkDefaults', 'find_host',
           'fixed_input_size', 'host_of_config', 'host_of_task', 'type_name']

#: Name of the host -> adapter.
HOSTS = {host.name: host for host in (MMDET, MMPOSE, MMSEG, MMPRETRAIN)}


def find_host(scope: str | None) -> Host | None:
    """Return the adapter of a config's ``default_scope``, or None if it is not a host's."""
    return HOSTS.get(scope or '')


def host_of_config(config: Config) -> Host:
    """Return the adapter of a config.

    Args:
        config: Config with all that it inherits.

    Raises:
        ValueError: The ``default_scope`` of the config is not a host's.
    """
    scope = config.get('default_scope')
    if scope not in HOSTS:
        raise ValueError(f'default_scope of the config must be one of {", ".join(HOSTS)}, got {scope!r}')
    return HOSTS[scope]


def host_of_task(task: str) -> Host:
    """Return the adapter of a task.

    Raises:
        KeyError: No host has this task.
    """
    return {host.task: host for host in HOSTS.values()}[task]

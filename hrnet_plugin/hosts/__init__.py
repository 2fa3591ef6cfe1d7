"""Adapters of host libraries. All knowledge of this package about a host is in its adapter.

A host is an OpenMMLab library that builds models from configs, e.g. mmdet. To support another host, write an adapter
and add it to :data:`HOSTS`. Adapters import their host on first use, and of this package only
:mod:`hrnet_plugin.results`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.hosts.config_entries import config_image_channels, fixed_input_size
from hrnet_plugin.hosts.host import Host
from hrnet_plugin.hosts.metric import Metric
from hrnet_plugin.hosts.mmdet import MMDET
from hrnet_plugin.hosts.mmpose import MMPOSE
from hrnet_plugin.hosts.mmpretrain import MMPRETRAIN
from hrnet_plugin.hosts.mmseg import MMSEG
from hrnet_plugin.hosts.names import type_name
from hrnet_plugin.hosts.network_defaults import NetworkDefaults

if TYPE_CHECKING:
    from mmengine.config import Config

__all__ = ['HOSTS', 'MMDET', 'MMPOSE', 'MMPRETRAIN', 'MMSEG', 'Host', 'Metric', 'NetworkDefaults',
           'config_image_channels', 'find_host', 'fixed_input_size', 'host_of_config', 'host_of_task', 'type_name']

#: Name of the host -> adapter.
HOSTS = {host.name: host for host in (MMDET, MMPOSE, MMSEG, MMPRETRAIN)}


def find_host(scope: str | None) -> Host | None:
    """Return the adapter for the ``default_scope`` of a config, or None if no host has this scope."""
    return HOSTS.get(scope or '')


def host_of_config(config: Config) -> Host:
    """Return the adapter of a config.

    Args:
        config: Config with its bases.

    Raises:
        ValueError: If no host has the ``default_scope`` of the config.
    """
    scope = config.get('default_scope')
    if scope not in HOSTS:
        raise ValueError(f'default_scope of the config must be one of {", ".join(HOSTS)}, got {scope!r}')
    return HOSTS[scope]


def host_of_task(task: str) -> Host:
    """Return the adapter of a task.

    Raises:
        KeyError: If no host has this task.
    """
    return {host.task: host for host in HOSTS.values()}[task]

"""Derivation of a config from one of a host."""

from __future__ import annotations

from hrnet_plugin.config_files import read_config
from hrnet_plugin.derivation.build import check_build
from hrnet_plugin.derivation.derived import Changes, Derived
from hrnet_plugin.derivation.detector import DEFAULT_ARCH, replace_network
from hrnet_plugin.derivation.host_configs import HostConfig, find_host_config
from hrnet_plugin.derivation.type_change import change_types
from hrnet_plugin.hosts import MMDET


def derive(address: str, arch: str | None = None) -> Derived:
    """Derive a config with HRNet from a config of a host, and check that its model builds.

    Args:
        address: 'HOST::CONFIG', see :func:`~hrnet_plugin.derivation.host_configs.find_host_config`.
        arch: Name of the HRNet that replaces another backbone. Default: None, which means 'w32'. HRNets of the host
            keep their width.

    Raises:
        ValueError: If HRNet does not fit into the config, or ``arch`` is given for a config with an HRNet.
        FileNotFoundError: If the host has no such config.
        ImportError: If the host is not installed.
    """
    source = find_host_config(address)
    config = read_config(source.path)
    model = config.get('model')
    if not isinstance(model, dict):
        raise ValueError(f'config must have a model, got {source.base} without')
    changes = change_types(source.host, model)
    if changes is not None and arch is not None:
        raise ValueError(f'--arch must be omitted for a config that has an HRNet, got {arch}. The network of '
                         f'{source.base} keeps its width.')
    if changes is None:
        if source.host is not MMDET:
            raise ValueError(f'config must have an HRNet, or belong to mmdet, got {source.base} with another backbone')
        changes = replace_network(config, arch or DEFAULT_ARCH)
    imports = (config.get('custom_imports') or {}).get('imports') or []
    derived = Derived(source.base, _file_name(source, changes), changes,
                      (*([imports] if isinstance(imports, str) else imports), 'hrnet_plugin.plugin'))
    check_build(source, derived)
    return derived


def _file_name(source: HostConfig, changes: Changes) -> str:
    """Return the file name: that of the base, with the field of the backbone replaced."""
    method, *fields = source.path.stem.split('_')
    if not changes.network:
        return source.path.name
    rest = [field for field in fields[1:] if field != 'fpn']
    return '_'.join([method, changes.network, *rest]) + '.py'

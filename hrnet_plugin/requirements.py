"""Install commands of optional packages, for error messages."""

from __future__ import annotations

from hrnet_plugin.hosts import HOSTS

_COMMANDS = {'mmengine': 'pip install mmengine (or onedl-mmengine)',
             **{name: host.install_command for host in HOSTS.values() for name in (host.name, host.distribution)}}


def install_command(name: str) -> str:
    """Return the command that installs an optional package.

    Args:
        name: Name of the package or of its distribution.
    """
    return _COMMANDS.get(name, f'pip install {name}')

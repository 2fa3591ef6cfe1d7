"""One HRNet for mmdet, mmpose and mmsegmentation, named by config files as ``hrnet_plugin.HRNet``."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hrnet_plugin.requirements import install_command
from hrnet_plugin.version import __version__

if TYPE_CHECKING:
    from hrnet_plugin.config_files import cfg

__all__ = ['__version__', 'cfg']

if find_spec('mmengine') is None:  # which pip does not install with the plugin: there are two distributions of it
    warnings.warn(f'hrnet_plugin needs mmengine, which is not installed: {install_command("mmengine")}', RuntimeWarning,
                  stacklevel=2)


def __getattr__(name: str) -> Any:
    """Import ``cfg`` when it is used: tools that diagnose an installation import the package without mmengine."""
    if name == 'cfg':
        from hrnet_plugin.config_files import cfg
        return cfg
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

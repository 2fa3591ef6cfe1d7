"""Packages that define the classes of a model's modules.

Only modules of known packages are checked. A class that a user derives from one of them may use the same arguments in
another way. Therefore the package of the class itself counts, and not those of its base classes.
"""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from hrnet_plugin.hosts import HOSTS

_OURS = __name__.split('.')[0]
_KNOWN = {*HOSTS, _OURS, 'mmcv', 'mmengine', 'torch'}
_Part = TypeVar('_Part')


def is_ours(module: object) -> bool:
    """Return True if the class of a module is defined in this package."""
    return _package(type(module)) == _OURS


def host_of(module: object) -> str | None:
    """Return the name of the host that defines the class of a module, or None if no host does.

    Classes of this package count as those of the host from which they are derived.
    """
    package = next((package for package in map(_package, type(module).__mro__) if package != _OURS), '')
    return package if package in HOSTS else None


def is_known(part: object) -> bool:
    """Return True if the class of a module is defined in a host, this package, mmcv, mmengine or torch."""
    return _package(type(part)) in _KNOWN


def if_known(part: _Part) -> _Part | None:
    """Return a module, or None if its class is defined in another package."""
    return part if is_known(part) else None


def known_part(module: nn.Module | None, name: str) -> nn.Module | None:
    """Return a submodule, or None if there is none or its class is defined in another package."""
    part = getattr(module, name, None)
    return if_known(part) if isinstance(part, nn.Module) else None


def _package(kind: type) -> str:
    return kind.__module__.split('.')[0]

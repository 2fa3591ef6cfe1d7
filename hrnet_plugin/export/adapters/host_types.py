"""Checks of models of the hosts, which may not be installed."""

from __future__ import annotations

from collections.abc import Iterable

from hrnet_plugin.export.adapters.adapter import UnsupportedModel


def is_instance_of(value: object, host: str, name: str) -> bool:
    """Return True if a value is an instance of a host's class. The host is not imported.

    Args:
        value: Object to check.
        host: Name of the package, e.g. 'mmpose'.
        name: Name of the class.
    """
    return any(kind.__name__ == name and kind.__module__.partition('.')[0] == host for kind in type(value).__mro__)


def check_methods(value: object, base: type, names: Iterable[str]) -> None:
    """Check that the methods that an adapter replaces are those of the host.

    Args:
        value: Model or head.
        base: Class of the host.
        names: Names of the methods.

    Raises:
        UnsupportedModel: If a method is overridden.
    """
    for name in names:
        if getattr(type(value), name) is not getattr(base, name):
            raise UnsupportedModel(f'{type(value).__name__} must inherit the method {name} of {base.__module__}.'
                                   f'{base.__name__}, got another one. Export the network with --part network')


def has_methods(instance: object, owner: str, *names: str) -> bool:
    """Return True if an instance has methods as a class of mmdet or mmcv defines them, i.e. not overridden.

    Args:
        instance: Instance of any class, or None.
        owner: Name of the class that defines the methods.
        *names: Names of the methods.
    """
    methods = [getattr(type(instance), name, None) for name in names]
    return all(getattr(method, '__qualname__', '') == f'{owner}.{name}'
               and method.__module__.startswith(('mmdet.', 'mmcv.')) for name, method in zip(names, methods))

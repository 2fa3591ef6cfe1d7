"""Changes of a config that has an HRNet of its host: the types, nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.derivation.derived import Changes
from hrnet_plugin.hosts import MMDET, Host, type_name

_Path = tuple[str, ...]


def find_hrnets(entry: ConfigEntry, path: _Path = ()) -> Iterator[_Path]:
    """Yield the keys that lead to each backbone of type ``HRNet``.

    Args:
        entry: Config entry, such as ``model``.
        path: Keys that lead to it.
    """
    for key, value in entry.items():
        if key == 'backbone' and isinstance(value, Mapping) and type_name(str(value.get('type'))) == 'HRNet':
            yield (*path, key)
        elif isinstance(value, Mapping):
            yield from find_hrnets(value, (*path, key))


def change_types(host: Host, model: ConfigEntry) -> Changes | None:
    """Return the changes of a model that has HRNets, or None if it has none.

    Args:
        host: Host of the config.
        model: Entry ``model`` of the config.
    """
    entries: dict[str, ConfigValue] = {}
    notes: list[str] = []
    for path in find_hrnets(model, ('model', )):
        # arguments have mmdet's defaults without host
        change = {'type': 'hrnet_plugin.HRNet', **({} if host is MMDET else {'host': host.name})}
        notes.append(f'{".".join(path)}: type{"" if host is MMDET else " and host"} of upstream\'s HRNet')
        entries = _merged(entries, _nested(path, change))
        neck = _at(model, path[1:-1]).get('neck')
        if host is MMDET and isinstance(neck, Mapping) and type_name(str(neck.get('type'))) == 'HRFPN':
            entries = _merged(entries, _nested((*path[:-1], 'neck'), dict(type='hrnet_plugin.HRFPN')))
            notes.append(f'{".".join(path[:-1])}.neck: type of upstream\'s HRFPN')
    return Changes(entries, tuple(notes)) if notes else None


def _at(entry: ConfigEntry, path: _Path) -> ConfigEntry:
    for key in path:
        value = entry[key]
        if not isinstance(value, Mapping):
            raise TypeError(f'{key} must be a mapping, got {value!r:.200}')
        entry = value
    return entry


def _nested(path: _Path, value: ConfigEntry) -> dict[str, ConfigValue]:
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def _merged(first: ConfigEntry, second: ConfigEntry) -> dict[str, ConfigValue]:
    """Return the entries of both mappings, whose common keys have mappings as values."""
    merged = dict(first)
    for key, value in second.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged

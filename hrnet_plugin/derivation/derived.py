"""Derived config: its entries, its text, and its form for the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hrnet_plugin.config_types import ConfigEntry, ConfigValue

_WIDTH = 120


@dataclass(frozen=True)
class Changes:
    """Changes of a config.

    Attributes:
        entries: Config entries to merge over those of the base.
        notes: One line per change.
        network: Field of the new backbone in the name of a config, e.g. 'hrnetv2p-w32'. Empty if the name stays.
    """

    entries: ConfigEntry
    notes: tuple[str, ...]
    network: str = ''


@dataclass(frozen=True)
class Derived:
    """Config that inherits a config of a host and has HRNet as its backbone.

    Attributes:
        base: Entry ``_base_``, e.g. 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'.
        name: File name.
        changes: Changes of the base.
        imports: Modules of ``custom_imports``.
    """

    base: str
    name: str
    changes: Changes
    imports: Sequence[str] = field(default=('hrnet_plugin.plugin', ))

    @property
    def text(self) -> str:
        """Source of the config."""
        imports: ConfigEntry = dict(imports=list(self.imports), allow_failed_imports=False)
        entries: ConfigEntry = {**self.changes.entries, 'custom_imports': imports}
        lines = [f'{key} = {_source(value, len(key) + 3, 0)}' for key, value in entries.items()]
        return '\n'.join([f'"""HRNet in {self.base}."""', f'_base_ = {self.base!r}', '', *lines, ''])

    @property
    def options(self) -> str | None:
        """Arguments for ``--cfg-options`` of the tools of all hosts. None if they cannot express the changes."""
        options = list(_options('', self.changes.entries))
        if any(option is None for option in options):
            return None
        return ' '.join(option for option in options if option is not None)


def _source(value: ConfigValue, column: int, indent: int) -> str:
    """Return the source of a value: on one line if it fits, else with as many entries per line as fit.

    Args:
        value: Value of an entry.
        column: Column at which the value begins.
        indent: Indentation of the line.
    """
    text = _inline(value)
    if column + len(text) < _WIDTH or not isinstance(value, (Mapping, list)):
        return text
    indent += 4
    named = [(f'{key}=', entry) for key, entry in value.items()] if isinstance(value, Mapping) else [
        ('', entry) for entry in value]
    lines: list[str] = []
    for name, entry in named:
        source = name + _source(entry, indent + len(name), indent)
        if lines and '\n' not in lines[-1] + source and indent + len(f'{lines[-1]}, {source}') < _WIDTH:
            lines[-1] += f', {source}'
        else:
            lines.append(source)
    start, end = ('dict(', ')') if isinstance(value, Mapping) else ('[', ']')
    return f'{start}\n{" " * indent}' + f',\n{" " * indent}'.join(lines) + end


def _inline(value: ConfigValue) -> str:
    if isinstance(value, Mapping):
        return f'dict({", ".join(f"{key}={_inline(entry)}" for key, entry in value.items())})'
    if isinstance(value, list):
        return f'[{", ".join(map(_inline, value))}]'
    return repr(value)


def _options(prefix: str, entries: ConfigEntry) -> Iterator[str | None]:
    """Yield one argument per value, or None for a value that an argument cannot contain."""
    for key, value in entries.items():
        if isinstance(value, Mapping) and value:
            yield from _options(f'{prefix}{key}.', value)
        elif isinstance(value, (list, tuple)) and any(isinstance(entry, Mapping) for entry in value):
            yield None
        else:
            yield shlex.quote(f'{prefix}{key}={_inline(value).replace(" ", "").strip(chr(39))}')

"""Suggestions for misspelled types and arguments, which mmengine's messages lack."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hrnet_plugin.suggest import did_you_mean

if TYPE_CHECKING:
    from mmengine.registry import Registry

# part of a message of mmengine -> advice
_ADVICE = {
    'need at least one array to concatenate': 'A dataset has no samples: hrnet check CONFIG names it',
    'should have 1 or 3 values, to be compatible with RGB or gray image': (
        'For other numbers of channels, set mean and std of model.data_preprocessor to one value each'),
}


def hint(message: str) -> str:
    """Return a suggestion for an unknown type or argument of a registered class, or an empty string.

    Args:
        message: Error message of mmengine or Python, on one line.
    """
    for words, advice in _ADVICE.items():
        if words in message:
            return f'. {advice}'
    unknown_type = re.search(r'([\w.]+) is not in the (\w+)::([\w ]+) registry', message)
    if unknown_type:
        return _type_hint(*unknown_type.groups())
    unknown_argument = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", message)
    return _argument_hint(*unknown_argument.groups()) if unknown_argument else ''


def _type_hint(kind: str, scope: str, name: str) -> str:
    known: set[str] = set()
    for registry in _registries():
        if registry.name == name:
            prefix = '' if registry.scope in ('mmengine', scope) else f'{registry.scope}.'
            known.update(f'{prefix}{key}' for key in registry.module_dict)
    return did_you_mean(kind, known)


def _argument_hint(kind: str, argument: str) -> str:
    for registry in _registries():
        if kind in registry.module_dict:
            known = inspect.signature(registry.module_dict[kind]).parameters
            return did_you_mean(argument, known) or (_backbone_hint(argument) if 'backbone' in known else '')
    return ''


def _backbone_hint(argument: str) -> str:
    from hrnet_plugin.models import HRNet
    if argument not in inspect.signature(HRNet).parameters:
        return ''
    return f'. It is an argument of the backbone: set model.backbone.{argument}'


def _registries() -> Iterator[Registry]:
    """Yield all registries of mmengine and, if they are imported, of other packages."""
    module = sys.modules.get('mmengine.registry')
    if module is None:
        return
    waiting = [value for value in vars(module).values() if isinstance(value, module.Registry)]
    while waiting:
        registry = waiting.pop()
        yield registry
        waiting.extend(registry.children.values())

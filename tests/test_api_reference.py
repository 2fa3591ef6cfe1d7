"""The pages of the Python API contain each public name: those of ``__all__``, and all registered types."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import isclass, isroutine
from pathlib import Path
from pkgutil import walk_packages

import pytest
from paths import ROOT

import hrnet_plugin
from hrnet_plugin import registry
from hrnet_plugin.hosts import HOSTS

PAGES = ROOT / 'docs' / 'reference' / 'api'
_DIRECTIVE = re.compile(r'^\.\. (autoclass|autofunction|autodata|py:data|automodule):: ([\w.]+)$', re.M)


def find(path):
    """Return the object at a dotted path of module and attribute.

    Raises:
        AttributeError: The module has no such attribute.
    """
    module, _, name = path.rpartition('.')
    return getattr(import_module(module), name)


def documented(pages):
    """Return path -> object of all names that pages document. The paths are those of the directives."""
    names = {}
    for page in sorted(Path(pages).glob('*.md')):
        for directive, path in _DIRECTIVE.findall(page.read_text(encoding='utf-8')):
            if directive != 'automodule':
                assert path not in names, f'{path} is documented twice'
                names[path] = find(path)
                continue
            module = import_module(path)
            members = {name: getattr(module, name) for name in module.__all__}
            # Sphinx leaves out members without a docstring
            names |= {f'{path}.{name}': value for name, value in members.items()
                      if (isclass(value) or isroutine(value)) and value.__doc__}
    return names


def packages():
    """Yield the packages with public names."""
    yield hrnet_plugin
    for found in walk_packages(hrnet_plugin.__path__, 'hrnet_plugin.'):
        if found.ispkg and '.diagnosis' not in found.name:
            module = import_module(found.name)
            if hasattr(module, '__all__'):
                yield module


def public_names():
    """Return all public names: path -> object."""
    names = {f'{package.__name__}.{name}': getattr(package, name) for package in packages() for name in package.__all__}
    for host in HOSTS.values():
        names |= {f'{module}.{name}': find(f'{module}.{name}') for name, module in host.extensions.items()}
    for kind in ('MODELS', 'HOOKS', 'LOOPS', 'OPTIM_WRAPPERS', 'TRANSFORMS', 'WEIGHT_INITIALIZERS'):
        registered = getattr(registry, kind)
        registered.import_from_location()
        names |= {f'{value.__module__}.{value.__qualname__}': value for value in registered.module_dict.values()
                  if value.__module__.startswith('hrnet_plugin.')}
    return names


def undocumented(names, pages):
    """Return the paths of objects that no page documents under any path."""
    known = documented(pages)
    objects = {id(value) for value in known.values() if isclass(value) or isroutine(value)}
    return sorted(path for path, value in names.items() if path not in known and id(value) not in objects)


@pytest.fixture(scope='module')
def names():
    for host in ('mmdet', 'mmseg'):
        pytest.importorskip(host)
    return public_names()


def test_each_public_name_is_documented(names):
    assert len(names) > 80
    assert {'hrnet_plugin.HRNet', 'hrnet_plugin.evaluation.record_hook.RecordHook'} <= set(names)
    assert undocumented(names, PAGES) == []


def test_an_undocumented_name_is_detected(names):
    class Made:
        """Public class that no page has."""

    others = {'hrnet_plugin.Made': Made, 'hrnet_plugin.MADE': 3}
    assert undocumented({**names, **others}, PAGES) == ['hrnet_plugin.MADE', 'hrnet_plugin.Made']


def test_a_page_with_a_wrong_name_is_detected(tmp_path):
    (tmp_path / 'page.md').write_text('```{eval-rst}\n.. autoclass:: hrnet_plugin.HRnet\n```\n')
    with pytest.raises(AttributeError, match='HRnet'):
        documented(tmp_path)


def test_one_path_of_an_object_is_enough(tmp_path):
    (tmp_path / 'page.md').write_text('```{eval-rst}\n.. autoclass:: hrnet_plugin.HRNet\n```\n')
    both = {path: find(path) for path in ('hrnet_plugin.models.HRNet', 'hrnet_plugin.models.HRFPN')}
    assert undocumented(both, tmp_path) == ['hrnet_plugin.models.HRFPN']

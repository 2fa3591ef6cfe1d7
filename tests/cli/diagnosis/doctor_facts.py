"""Facts of a working environment, changes to them, and the commands of the problems."""

from __future__ import annotations

from dataclasses import replace

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Distribution, Facts, Module
from hrnet_plugin.cli.diagnosis.problems import find_problems
from hrnet_plugin.cli.diagnosis.versions import Range

SITE, USER = '/venv/lib/site-packages', '/home/me/.local/lib/site-packages'
LITE, OPERATORS = 'mmcv-lite==2.1.0', './packages/mmcv_ops'
VERSIONS = {'torch': '2.11.0', 'torchvision': '0.26.0', 'numpy': '1.26.4', 'setuptools': '80.9.0',
            'mmengine': '0.10.7', 'mmcv': '2.1.0', 'mmdet': '3.3.0', 'mmpose': '1.3.2', 'mmsegmentation': '1.2.2',
            'mmpretrain': '1.2.0', 'openmim': '0.3.9', 'hrnet-plugin': '0.1.0'}
MODULES = ('torch', 'torchvision', 'numpy', 'pkg_resources', 'mmengine', 'mmcv', *HOSTS, 'mim')


def healthy():
    """Return the facts of the tested stack with a compiled mmcv."""
    modules = {name: Module(f'{SITE}/{name}/__init__.py', (f'{SITE}/{name}', )) for name in MODULES}
    modules['mmcv._ext'] = Module(f'{SITE}/mmcv/_ext.cpython-311-x86_64-linux-gnu.so')
    ranges = {host: (Range('mmcv', '2.0.0rc4', '2.2.0'), Range('mmengine', '0.7.1', '1.0.0'))
              for host in ('mmdet', 'mmseg')}
    return Facts('3.11', 'Linux', tuple(Distribution(*item, SITE) for item in VERSIONS.items()), modules, ranges,
                 plugin_folder=f'{SITE}/hrnet_plugin', has_configs=True, uses_pkg_resources=True,
                 search_path=('/venv/lib', SITE, USER), site=SITE, user_site=USER)


def change(facts, distributions=None, modules=None, **others):
    """Return facts with other distributions (name -> version) and modules (name -> error). None removes one."""
    versions = {found.name: found for found in facts.distributions}
    versions.update({name: version if isinstance(version, Distribution) else version and Distribution(
        name, version, SITE) for name, version in (distributions or {}).items()})
    known = dict(facts.modules)
    for name, error in (modules or {}).items():
        if error is None:
            known.pop(name, None)
        else:
            known[name] = error if isinstance(error, Module) else replace(facts.modules[name], error=error)
    return replace(facts, distributions=tuple(filter(None, versions.values())), modules=known, **others)


def with_details(facts, details):
    """Return facts in which the probes of modules have found these details: name -> details."""
    modules = {name: replace(facts.modules[name], details=found) for name, found in details.items()}
    return replace(facts, modules={**facts.modules, **modules})


def errors(facts, *wanted):
    """Return the commands of the errors."""
    return [problem.command for problem in find_problems(facts, wanted) if problem.is_error]


def notes(facts):
    """Return the commands of the notes."""
    return [problem.command for problem in find_problems(facts) if not problem.is_error]


def only(facts, *wanted):
    """Return the single error."""
    problem, = (problem for problem in find_problems(facts, wanted) if problem.is_error)
    return problem

"""Problems of torch, torchvision, numpy, setuptools and mmengine, the dependencies of mmcv and the hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Facts
from hrnet_plugin.cli.diagnosis.import_errors import import_problem
from hrnet_plugin.cli.diagnosis.problem import (
    ALL,
    Problem,
    describe,
    failing,
    overwrite_each_other,
    require,
    torch_build,
    violations,
)


def check_torch(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that torch imports."""
    if 'torch' not in facts.modules:
        yield Problem('torch must be installed, got none.', "pip install 'torch>=2.1' torchvision", ALL)
    elif error := facts.modules['torch'].error:
        yield Problem(f'{describe(facts, "torch")} must import, got {error}.{_name_index(facts)}', 'pip uninstall -y '
                      f'torch torchvision && pip install {torchvision_requirement(torch_build(facts))}', ALL)


def check_torchvision(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that torchvision is installed and matches torch. The network alone does not require it."""
    if not (facts.works('torch') and facts.works('numpy')):
        return
    install, index = f'pip install {torchvision_requirement(torch_build(facts))}', _name_index(facts)
    affected = failing(facts, 'torchvision') | frozenset(wanted).intersection(HOSTS)
    module = facts.modules.get('torchvision')
    if module is None:
        yield Problem(f'torchvision must be installed for mmpose, mmpretrain and mmcv-torch-ops, got none.{index}',
                      install, affected, bool(affected or facts.providers('mmcv._ext')))
    elif module.error:
        yield Problem(f'torchvision must match torch {facts.version("torch")}, got {describe(facts, "torchvision")}: '
                      f'{module.error}.{index}', f'pip uninstall -y torchvision && {install}', affected)
    elif facts.has_cuda_gpus and facts.detail('torchvision', 'cuda') == '-1':
        users = frozenset(HOSTS).intersection(facts.modules) if facts.detail('mmcv._ext', 'origin') else frozenset()
        yield Problem(f'torchvision must be built for CUDA like torch {facts.version("torch")}, got a build for CPUs, '
                      f'{describe(facts, "torchvision")}.{index}', f'pip uninstall -y torchvision && {install}', users,
                      bool(users))


def torchvision_requirement(torch: str) -> str:
    """Return the requirements with which pip installs the torchvision that matches a version of torch.

    They include torch, which pip would replace otherwise. A build label is added to the version of torchvision, since
    pip would install another build otherwise. Both versions are paired up to torch 2.13.

    >>> torchvision_requirement('2.11.0'), torchvision_requirement('2.11.0+cpu')
    ('torchvision torch==2.11.0', 'torchvision==0.26.0+cpu torch==2.11.0+cpu')
    """
    match = re.match(r'2\.(\d+)\.(\d+\+.*)$', torch)
    own = f'==0.{int(match[1]) + 15}.{match[2]}' if match and int(match[1]) <= 13 else ''
    return f'torchvision{own} torch{"==" * bool(torch)}{torch}'


def check_numpy(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that numpy imports, and that torch can use it."""
    version = "'numpy<2'" if 'mmpose' in facts.modules else 'numpy'  # required by the wheels of xtcocotools
    if 'numpy' not in facts.modules:
        yield Problem('numpy must be installed, got none.', f'pip install {version}', ALL)
    elif error := facts.modules['numpy'].error:
        yield Problem(f'{describe(facts, "numpy")} must import, got {error}.',
                      f'pip install --force-reinstall {version}', ALL)
    elif error := facts.detail('torch', 'numpy_error'):
        is_new = not facts.version('numpy').startswith('1.')  # wheels of torch up to 2.2 are built for numpy 1
        yield Problem(f'torch {facts.version("torch")} must be able to use {describe(facts, "numpy")}, got {error}.',
                      "pip install 'numpy<2'" if is_new else f'pip install --force-reinstall {version}', ALL)


def check_mmengine(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that one mmengine is installed, that it imports, and that the hosts accept its version."""
    install, name = _install_mmengine(facts), describe(facts, 'mmengine')
    module, violated = facts.modules.get('mmengine'), violations(facts, 'mmengine')
    if module is None or not module.file:
        yield Problem('mmengine must be installed, got no files of it.', install, ALL)
    elif overwrite_each_other(facts.providers('mmengine')):
        yield Problem(f'mmengine must come from one distribution, got {name}. They overwrite each other\'s files.',
                      install, failing(facts))
    elif module.error and facts.works('torch') and facts.works('numpy'):
        yield import_problem(name, module.error, install, ALL)
    elif violated:
        yield Problem(f'mmengine must be {require(violated, facts)}, got {facts.version("mmengine")}.', install,
                      failing(facts, 'MMEngine==').union(violated))


def check_pkg_resources(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that the module ``pkg_resources`` exists, which setuptools 82 removed."""
    users = [*facts.providers('mmengine')] * facts.uses_pkg_resources
    users += [found for found in facts.providers('mim') if found.name == 'openmim']
    if users and not facts.works('pkg_resources'):
        yield Problem(f'setuptools must have pkg_resources for {" and ".join(map(str, users))}, got '
                      f'{describe(facts, "pkg_resources")}.', "pip install 'setuptools<81'",
                      frozenset(HOSTS) if facts.uses_pkg_resources else frozenset())


def _install_mmengine(facts: Facts) -> str:
    """Return the command that installs onedl's mmengine for onedl's hosts, or else the newest that upstream accepts."""
    hosts = [found.name for host in HOSTS for found in facts.providers(host)]
    required = 'onedl-mmengine' if any(name.startswith('onedl-') for name in hosts) else 'mmengine==0.10.7'
    names = [found.name for found in facts.providers('mmengine')]
    return (f'pip uninstall -y {" ".join(names)} && ' if names else '') + f'pip install {required}'


def _name_index(facts: Facts) -> str:
    """Return a hint for a torch with a build label. Such a build is not from the default index."""
    label = torch_build(facts).partition('+')[2]
    return f' Use the --index-url that torch +{label} came from.' if label else ''

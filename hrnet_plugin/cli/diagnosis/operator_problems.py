"""Problems of ``mmcv._ext``, the operators of mmcv."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Facts
from hrnet_plugin.cli.diagnosis.problem import MMCV_LITE, OPERATORS, Problem, describe, failing, install_operators


def check_operators(facts: Facts, wanted: Sequence[str], replace_mmcv: str) -> Iterator[Problem]:
    """Check that the operators import.

    Args:
        facts: Facts about an environment in which ``mmcv`` imports.
        wanted: Hosts that must work.
        replace_mmcv: Command that replaces mmcv by mmcv-lite and the operators of this project.
    """
    affected = failing(facts, r'\b_ext\b|mmcv\.ops') | frozenset(wanted).intersection(HOSTS)
    extension = facts.modules.get('mmcv._ext')
    if extension is None:
        is_error = bool(affected or facts.providers('mmcv._ext'))
        yield Problem(*_explain_absence(facts), affected, is_error)
    elif extension.error and is_compiled(extension.file):
        if facts.works('torch') and facts.works('numpy'):
            yield Problem(f'mmcv._ext must be compiled against torch {facts.version("torch")}, got {extension.error}.',
                          replace_mmcv, affected)
    elif extension.error and all(map(facts.works, ('torch', 'numpy', 'torchvision'))):
        yield Problem(f'{describe(facts, "mmcv._ext")} must import, got {extension.error}.',
                      f'pip install --force-reinstall --no-deps {OPERATORS}', affected)
    elif is_compiled(extension.file) and facts.has_cuda_gpus and extension.details.get('cuda') == 'not available':
        yield Problem('mmcv._ext must be compiled with CUDA for the GPUs of this machine, got a build without CUDA.',
                      replace_mmcv, affected | frozenset(HOSTS).intersection(facts.modules))


def is_compiled(file: str) -> bool:
    return file.endswith(tuple(EXTENSION_SUFFIXES))


def _explain_absence(facts: Facts) -> tuple[str, str]:
    """Return message and command for an mmcv without operators in its folder."""
    mmcv = os.path.dirname(os.path.dirname(facts.modules['mmcv'].file))
    folders = [found.folder for found in facts.providers('mmcv._ext')]
    if not folders:
        return (f'mmcv must have operators (mmcv._ext) for the hosts, got {describe(facts, "mmcv")} without them.',
                _install_for_user(facts, mmcv) or f'pip install {install_operators(facts)}')
    if _normalize(mmcv) in map(_normalize, folders):
        return (f'{describe(facts, "mmcv._ext")} must have its file mmcv/_ext.py, got an installation without it.',
                f'pip install --force-reinstall --no-deps {OPERATORS}')
    return (f'mmcv-torch-ops must be in the site directory of mmcv, {mmcv}, got {folders[0]}.', _join(facts, mmcv))


def _join(facts: Facts, mmcv: str) -> str:
    """Return the command that installs the operators and mmcv in one site directory.

    Args:
        facts: Facts about the environment.
        mmcv: Site directory of mmcv.
    """
    path = [_normalize(folder) for folder in facts.search_path]
    install, first, site = 'pip install --ignore-installed --no-deps', _normalize(mmcv), _normalize(facts.site)
    if for_user := _install_for_user(facts, mmcv):
        return for_user
    if first == site:
        return f'{install} {OPERATORS}'
    if first in path and site in path and path.index(site) < path.index(first):  # a second mmcv hides the first
        return f'{install} {MMCV_LITE} {OPERATORS}'
    if first == _normalize(facts.user_site):
        return f'{install} --user {OPERATORS}'
    return f'unset PYTHONPATH && {install} {MMCV_LITE} {OPERATORS}'


def _install_for_user(facts: Facts, mmcv: str) -> str:
    """Return the command for an mmcv in a read-only site directory. Empty if the directory is writable."""
    path = [_normalize(folder) for folder in facts.search_path]
    is_fixed = _normalize(mmcv) == _normalize(facts.site) and not facts.site_is_writable
    if not is_fixed or _normalize(facts.user_site) not in path:
        return ''
    return f'pip install --user --ignore-installed --no-deps {MMCV_LITE} {OPERATORS}'


def _normalize(folder: str) -> str:
    return os.path.normcase(os.path.realpath(folder))

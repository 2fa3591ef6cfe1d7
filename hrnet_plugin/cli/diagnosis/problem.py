"""Problem of an environment, and common functions of the checks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Distribution, Facts
from hrnet_plugin.cli.diagnosis.versions import Range, parse_version

NETWORK = 'network'
ALL = frozenset({NETWORK, *HOSTS})
# requirements that the commands install: a folder of the checkout, and the mmcv version that all hosts accept
OPERATORS = './packages/mmcv_ops'
MMCV_LITE = 'mmcv-lite==2.1.0'


@dataclass(frozen=True)
class Problem:
    """Problem of an environment.

    Args:
        message: Description of the problem in one or two sentences.
        command: Shell command that fixes it.
        affects: Parts that do not work, among 'network' and the hosts.
        is_error: Whether an installed or requested part is broken. If False, the problem is a note.
    """

    message: str
    command: str
    affects: frozenset[str] = frozenset()
    is_error: bool = True


def overwrite_each_other(distributions: Sequence[Distribution]) -> bool:
    """Return True if several distributions of one package are in the same site directory."""
    return len({found.folder for found in distributions}) < len(distributions)


def failing(facts: Facts, pattern: str = '') -> frozenset[str]:
    """Return the installed hosts whose import fails with an error that matches a pattern."""
    return frozenset(host for host in HOSTS if host in facts.modules and facts.modules[host].error
                     and re.search(pattern, facts.modules[host].error))


def install_operators(facts: Facts) -> str:
    """Return the requirements of the operators. They pin torch if pip would replace it to install torchvision."""
    build = torch_build(facts)
    return OPERATORS if 'torchvision' in facts.modules or not build else f'{OPERATORS} torch=={build}'


def torch_build(facts: Facts) -> str:
    """Return the version of torch with its build label. Wheels of the default index have no label."""
    return next((found.version for found in facts.providers('torch')), facts.version('torch').partition('+')[0])


def describe(facts: Facts, module: str) -> str:
    """Return the distributions of a module with their versions, e.g. 'mmcv-lite 2.1.0' or 'no mmcv'."""
    providers = facts.providers(module)
    if providers:
        return ' and '.join(dict.fromkeys(map(str, providers)))
    return f'{module} {facts.version(module)}'.strip() if module in facts.modules else f'no {module}'


def violations(facts: Facts, library: str) -> dict[str, Range]:
    """Return the version ranges of hosts that the version of a library violates: host -> range."""
    try:
        parse_version(facts.version(library))
    except ValueError:
        return {}
    return {host: found for host, ranges in facts.ranges.items() for found in ranges
            if found.library == library and not found.contains(facts.version(library))}


def require(violated: dict[str, Range], facts: Facts) -> str:
    """Return violated ranges in words, e.g. '>=2.0.0rc4,<2.2.0 for mmdet 3.3.0'."""
    return ' and '.join(f'{found.bounds} for {host} {facts.version(host)}'.strip() for host, found in violated.items())

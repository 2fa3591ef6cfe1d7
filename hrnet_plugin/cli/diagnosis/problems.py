"""Problems of an environment, derived from its facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Facts
from hrnet_plugin.cli.diagnosis.mmcv_problems import check_mmcv
from hrnet_plugin.cli.diagnosis.plugin_problems import (
    check_checkpoint,
    check_hosts,
    check_imports,
    check_mim,
    check_plugin,
)
from hrnet_plugin.cli.diagnosis.problem import NETWORK, Problem
from hrnet_plugin.cli.diagnosis.stack_problems import (
    check_mmengine,
    check_numpy,
    check_pkg_resources,
    check_torch,
    check_torchvision,
)

Check = Callable[[Facts, Sequence[str]], Iterator[Problem]]
# dependencies come first
_CHECKS: tuple[Check, ...] = (check_torch, check_numpy, check_torchvision, check_mmengine, check_pkg_resources,
                              check_mmcv, check_hosts, check_mim, check_plugin, check_checkpoint)


def find_problems(facts: Facts, wanted: Sequence[str] = ()) -> tuple[Problem, ...]:
    """Return the problems of an environment in the order in which to fix them, notes last.

    Args:
        facts: Facts about the environment.
        wanted: Hosts that must work. If they are missing, this is an error.
    """
    problems = [problem for check in _CHECKS for problem in check(facts, wanted)]
    problems += check_imports(facts, affected(problems))
    errors = [problem for problem in problems if problem.is_error]
    commands = {problem.command for problem in errors}
    return *errors, *(note for note in problems if not note.is_error and note.command not in commands)


def affected(problems: Sequence[Problem]) -> frozenset[str]:
    """Return the parts that do not work because of errors, among 'network' and the hosts."""
    return frozenset().union(*(problem.affects for problem in problems if problem.is_error))


def split_by_readiness(facts: Facts, problems: Sequence[Problem], wanted: Sequence[str] = ()
                       ) -> tuple[list[str], list[str]]:
    """Return the parts that work and those that do not, among 'network' and the installed or wanted hosts."""
    considered = [NETWORK, *(host for host in HOSTS if host in facts.modules or host in wanted)]
    broken = affected(problems)
    return [name for name in considered if name not in broken], [name for name in considered if name in broken]

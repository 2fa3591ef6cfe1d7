"""Problems of mmcv. Their commands install mmcv-lite and the operators of this project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hrnet_plugin.cli.diagnosis.facts import Facts
from hrnet_plugin.cli.diagnosis.import_errors import import_problem
from hrnet_plugin.cli.diagnosis.operator_problems import check_operators
from hrnet_plugin.cli.diagnosis.problem import (
    ALL,
    MMCV_LITE,
    Problem,
    describe,
    failing,
    install_operators,
    overwrite_each_other,
    require,
    violations,
)


def check_mmcv(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Yield the most basic problem of mmcv, whose command also fixes the others."""
    for check in (_check_providers, _check_files, _check_import, _check_version):
        problem = check(facts)
        if problem is not None:
            yield problem
            return
    yield from check_operators(facts, wanted, install_mmcv(facts))


def install_mmcv(facts: Facts) -> str:
    """Return the command that replaces the installed mmcv by mmcv-lite and the operators."""
    names = sorted({found.name for found in facts.providers('mmcv')})
    if names == ['mmcv-lite'] and f'mmcv-lite=={facts.version("mmcv")}' == MMCV_LITE:
        return f'pip install --force-reinstall --no-deps {MMCV_LITE}'
    uninstall = '' if names in ([], ['mmcv-lite']) else f'pip uninstall -y {" ".join(names)} && '
    # the requirement mmengine of mmcv-lite would overwrite the files of a fork
    is_fork = any(found.name != 'mmengine' for found in facts.providers('mmengine'))
    operators = '' if facts.providers('mmcv._ext') else f' {install_operators(facts)}'
    return f'{uninstall}pip install {"--no-deps " * is_fork}{MMCV_LITE}{operators}'


def _check_providers(facts: Facts) -> Problem | None:
    """Check that only one distribution provides mmcv."""
    if not overwrite_each_other(facts.providers('mmcv')):
        return None
    return Problem(f'mmcv must come from one distribution, got {describe(facts, "mmcv")}. They overwrite each other\'s '
                   'files, and uninstalling one deletes files of the other.', install_mmcv(facts), failing(facts))


def _check_files(facts: Facts) -> Problem | None:
    if 'mmcv' in facts.modules and facts.modules['mmcv'].file:
        return None
    if facts.providers('mmcv'):
        message = f'{describe(facts, "mmcv")} must have its files, got an installation without them.'
    elif facts.providers('mmcv._ext'):
        message = f'mmcv-lite must be installed beside {describe(facts, "mmcv._ext")}, got the operators alone.'
    else:
        message = 'mmcv or mmcv-lite must be installed, got neither.'
    return Problem(message, install_mmcv(facts), ALL)


def _check_import(facts: Facts) -> Problem | None:
    error = facts.modules['mmcv'].error
    if not error or not all(map(facts.works, ('torch', 'numpy', 'mmengine'))):
        return None
    return import_problem(describe(facts, 'mmcv'), error, install_mmcv(facts), ALL)


def _check_version(facts: Facts) -> Problem | None:
    """Check that the version is in the ranges that hosts assert."""
    violated = violations(facts, 'mmcv')
    if not violated:
        return None
    return Problem(f'mmcv must be {require(violated, facts)}, got {facts.version("mmcv")}.', install_mmcv(facts),
                   failing(facts, r'MMCV==|\bmmcv\.').union(violated))

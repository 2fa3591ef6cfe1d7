"""Text of a diagnosis, 80 columns wide except for paths and commands."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Sequence

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Facts
from hrnet_plugin.cli.diagnosis.operator_problems import is_compiled
from hrnet_plugin.cli.diagnosis.problem import Problem, describe
from hrnet_plugin.cli.diagnosis.problems import split_by_readiness
from hrnet_plugin.version import __version__

WIDTH = 80
_LABEL = 14


def report(facts: Facts, problems: Sequence[Problem], wanted: Sequence[str] = ()) -> str:
    """Return the facts, the working and broken parts, and the problems with their commands."""
    ready, broken = split_by_readiness(facts, problems, wanted)
    verdict = [f'Ready for: {", ".join(ready) or "nothing"}']
    verdict += [f'Not ready for: {", ".join(broken)}'] if broken else []
    parts = ['\n'.join(_row(label, text) for label, text in _rows(facts)), '\n'.join(verdict)]
    for title, is_error in (('Problems', True), ('Notes', False)):
        found = [_entry(problem, facts) for problem in problems if problem.is_error == is_error]
        parts += ['\n'.join([title, *found])] if found else []
    if any('./' in problem.command or problem.command.endswith(' .') for problem in problems):
        parts.append(_wrap(f'Run commands with . or ./ in the checkout of hrnet_plugin{_checkout(facts)}.'))
    return '\n\n'.join(parts)


def _rows(facts: Facts) -> Iterator[tuple[str, str]]:
    yield 'Python', facts.python
    yield 'platform', facts.platform
    yield 'torch', _torch(facts)
    yield 'torchvision', _import(facts, 'torchvision', 'matches torch')
    yield 'numpy', _import(facts, 'numpy')
    yield 'setuptools', _import(facts, 'pkg_resources', 'has pkg_resources')
    yield 'mmengine', _import(facts, 'mmengine')
    yield 'mmcv', _import(facts, 'mmcv', _file(facts, 'mmcv'))
    yield 'mmcv._ext', _operators(facts)
    for host in HOSTS:
        ranges = ', '.join(map(str, facts.ranges.get(host, ())))
        yield host, _import(facts, host, f'requires {ranges}' if ranges else '')
    yield 'openmim', _import(facts, 'mim')
    yield 'hrnet_plugin', _plugin(facts)
    yield 'network', _outcome(facts.network_error, 'imports')
    yield 'checkpoints', _outcome(facts.checkpoint_error, 'torch reads those of mmengine\'s runner')


def _import(facts: Facts, module: str, remark: str = '') -> str:
    """Return the distributions of a module, and its import error or a remark."""
    providers = facts.providers(module)
    is_label = len(providers) == 1 and providers[0].name in (module, 'setuptools', 'openmim')
    name = providers[0].version if is_label else describe(facts, module)
    if module not in facts.modules:
        return f'{name}, has no {module}' if providers else 'not installed'
    return ', '.join(filter(None, [name, _outcome(facts.modules[module].error, remark)]))


def _outcome(error: str, remark: str) -> str:
    return f'fails with {error}' if error else remark


def _torch(facts: Facts) -> str:
    if not facts.works('torch'):
        return _import(facts, 'torch')
    details = facts.modules['torch'].details
    build = f'CUDA {details["cuda"]}' if details.get('cuda') else 'without CUDA'
    return f'{facts.version("torch")}, {build}, GPUs: {details.get("gpus") or "none visible"}'


def _operators(facts: Facts) -> str:
    """Return the origin of mmcv's operators ('compiled' or mmcv-torch-ops), with file or error."""
    if 'mmcv._ext' not in facts.modules:
        return f'missing; {describe(facts, "mmcv._ext")} elsewhere' if facts.providers('mmcv._ext') else 'missing'
    module = facts.modules['mmcv._ext']
    kind = 'compiled' if is_compiled(module.file) else module.details.get('origin') or 'unknown origin'
    return f'{kind}, {_outcome(module.error, module.file)}'


def _plugin(facts: Facts) -> str:
    providers = facts.providers('hrnet_plugin')
    if not providers:
        return f'{__version__}, not installed'
    visibility = 'mim finds it' if facts.has_configs else 'mim does not find it'
    return f'{providers[0].version}, {"editable, " * providers[0].is_editable}{visibility}, {facts.plugin_folder}'


def _file(facts: Facts, module: str) -> str:
    return facts.modules[module].file if module in facts.modules else ''


def _checkout(facts: Facts) -> str:
    urls = [found.url for found in facts.providers('hrnet_plugin') if found.url]
    return f' ({urls[0].removeprefix("file://")})' if urls else ''


def _entry(problem: Problem, facts: Facts) -> str:
    """Return message and command. The command is not wrapped, so that it can be copied."""
    return f'{_wrap(problem.message, "- ", "  ")}\n    {name_interpreter(problem.command, facts.executable)}'


def name_interpreter(command: str, executable: str) -> str:
    """Replace ``pip`` and ``python`` in a command by the path of an interpreter.

    >>> name_interpreter('pip uninstall -y mmcv && pip install numpy', '/a b/python')
    "'/a b/python' -m pip uninstall -y mmcv && '/a b/python' -m pip install numpy"

    Args:
        command: Shell command.
        executable: Path of the interpreter. Empty for the commands on PATH.
    """
    own = {'pip': f'{shlex.quote(executable)} -m pip', 'python': shlex.quote(executable)}
    return re.sub(r'(?<!\S)(pip|python)(?= )', lambda match: own[match[1]], command) if executable else command


def _row(label: str, text: str) -> str:
    return _wrap(text, f'{label:{_LABEL}}', ' ' * _LABEL)


def _wrap(text: str, first: str = '', others: str = '') -> str:
    return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False,
                         break_on_hyphens=False)

"""Problems of the hosts and of the plugin itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Facts
from hrnet_plugin.cli.diagnosis.import_errors import import_problem, print_traceback
from hrnet_plugin.cli.diagnosis.problem import NETWORK, Problem, describe, failing, overwrite_each_other
from hrnet_plugin.cli.diagnosis.versions import parse_version
from hrnet_plugin.requirements import install_command

_REINSTALL = 'pip install --force-reinstall --no-deps .'


def check_hosts(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that each host has one distribution and its files. A missing host is an error only if it is wanted."""
    for host in HOSTS:
        providers, affects = facts.providers(host), frozenset({host})
        install = _install_mmpose(facts) if host == 'mmpose' else install_command(host)
        uninstall = f'pip uninstall -y {" ".join(found.name for found in providers)} && '
        if overwrite_each_other(providers):
            yield Problem(f'{host} must come from one distribution, got {describe(facts, host)}. They overwrite each '
                          'other\'s files.', f'{uninstall}{install}', affects & failing(facts))
        elif host not in facts.modules and providers:
            yield Problem(f'{describe(facts, host)} must have its files, got an installation without them.',
                          f'{uninstall}{install}', affects)
        elif host not in facts.modules:
            yield Problem(f'{host} is not installed.{_remark(host, facts)}', install, affects, host in wanted)


def _remark(host: str, facts: Facts) -> str:
    if host != 'mmpose' or parse_version(facts.python) < parse_version('3.12'):
        return ''
    return ' Its requirement xtcocotools has no wheels for Python 3.12 and newer, so that pip compiles it.'


def _install_mmpose(facts: Facts) -> str:
    """Return the command that installs mmpose, mmdet (which it imports) and numpy 1 (for xtcocotools)."""
    numpy = facts.version('numpy')
    return ' && '.join([
        *([] if 'mmdet' in facts.modules else [install_command('mmdet')]), install_command('mmpose'),
        *([] if numpy.startswith('1.') else ["pip install 'numpy<2'"])])


def check_plugin(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that mim finds the configs and tools of the plugin."""
    providers = facts.providers('hrnet_plugin')
    if not providers:
        yield Problem('hrnet_plugin is not installed, so mim does not find it.', 'pip install .', is_error=False)
    elif not facts.has_configs:
        kind = 'an editable one' if providers[0].is_editable else f'no configs in {facts.plugin_folder}'
        yield Problem(f'hrnet_plugin must be a plain install for mim and mmengine, got {kind}.', _REINSTALL)


def check_checkpoint(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that torch reads the checkpoints of mmengine's runner."""
    uses_numpy = facts.works('numpy') and not facts.detail('torch', 'numpy_error')
    if facts.checkpoint_error and not facts.network_error and uses_numpy:
        yield Problem(f'torch {facts.version("torch")} must read checkpoints of mmengine with weights_only=True, got '
                      f'{facts.checkpoint_error}. Use the command only for files that you trust.',
                      'export TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1')


def check_imports(facts: Facts, known: frozenset[str]) -> Iterator[Problem]:
    """Yield import errors that no other problem explains.

    Args:
        facts: Facts about an environment.
        known: Parts that other errors affect, among 'network' and the hosts.
    """
    if facts.network_error and NETWORK not in known:
        yield import_problem('The network', facts.network_error, print_traceback('hrnet_plugin.models'),
                             frozenset({NETWORK}))
    errors = {host: facts.modules[host].error for host in HOSTS if host in facts.modules}
    for error in dict.fromkeys(errors.values()):
        hosts = [host for host in errors if errors[host] == error and host not in known]
        if error and hosts:
            names = ' and '.join(describe(facts, host) for host in hosts)
            yield import_problem(names, error, print_traceback(f'{hosts[0]}.models'), frozenset(hosts))


def check_mim(facts: Facts, wanted: Sequence[str]) -> Iterator[Problem]:
    """Check that mim imports. A missing pkg_resources is reported by ``check_pkg_resources``."""
    error = facts.modules['mim'].error if 'mim' in facts.modules else ''
    if error and 'pkg_resources' not in error and facts.works('numpy'):
        yield import_problem(describe(facts, 'mim'), error, print_traceback('mim'))

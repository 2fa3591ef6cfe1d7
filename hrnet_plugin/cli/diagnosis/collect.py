"""Collection of facts about an environment."""

from __future__ import annotations

import os
import platform
import shutil
import site
import sys
import sysconfig
from pathlib import Path

from hrnet_plugin.cli.diagnosis.facts import HOSTS, PROVIDERS, Distribution, Facts, Module
from hrnet_plugin.cli.diagnosis.probes import Found, Probe, run_probes
from hrnet_plugin.cli.diagnosis.versions import Range, read_ranges

# parent folder of this package, which probes append to sys.path in case the plugin is not installed
_PARENT = str(Path(__file__).resolve().parents[3])
_MODULES = tuple(name for name in PROVIDERS if name != 'hrnet_plugin')
_MODULES_WITH_PROBES = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmcv._ext')


def collect() -> Facts:
    """Collect facts about this environment. Imports run in subprocesses.

    Raises:
        RuntimeError: A subprocess cannot list the installed distributions.
    """
    listed = list_installed()
    distributions = [Distribution(**found) for found in listed['distributions']]
    # a host without a file is a leftover folder of an uninstalled host
    located = {name: found for name, found in listed['modules'].items() if found['file'] or name not in HOSTS}
    results = run_probes({name: _probe(name) for name in located}
                         | {name: (name, _PARENT) for name in ('network', 'checkpoint')})
    plugin = plugin_folder(results.get('mmengine', {}), distributions)
    return Facts(
        python=f'{platform.python_version()}, {sys.executable}',
        platform=platform.platform(),
        distributions=tuple(distributions),
        modules={name: _module(found, results[name]) for name, found in located.items()},
        ranges={host: _ranges(located[host]['file']) for host in HOSTS if host in located},
        network_error=results['network'].get('error', ''),
        checkpoint_error=results['checkpoint'].get('error', ''),
        plugin_folder=plugin,
        has_configs=bool(plugin) and Path(plugin, '.mim', 'configs').is_dir(),
        uses_pkg_resources='mmengine' in located and _uses_pkg_resources(located['mmengine']['folders']),
        search_path=tuple(listed['search_path']),
        site=sysconfig.get_path('purelib'),
        site_is_writable=os.access(sysconfig.get_path('purelib'), os.W_OK),
        user_site=site.getusersitepackages(),
        executable='' if owns_commands(sys.executable) else sys.executable)


def owns_commands(executable: str) -> bool:
    """Return True if ``python`` on PATH is the given interpreter, and ``pip`` on PATH is in the same folder."""
    python, pip = (shutil.which(name) or '' for name in ('python', 'pip'))
    folders = {os.path.realpath(os.path.dirname(path)) for path in (python, pip, executable)}
    return bool(python and pip) and len(folders) == 1 and os.path.samefile(python, executable)


def list_installed() -> Found:
    """List the installed distributions and modules among ``PROVIDERS``, without importing them."""
    names = {name for providers in PROVIDERS.values() for name in providers}
    listed = run_probes({'distributions': ('distributions', ','.join(sorted(names))),
                         'modules': ('modules', ','.join(_MODULES))})
    for found in listed.values():
        if 'error' in found:
            raise RuntimeError(f'{sys.executable} must be able to list installed packages, got {found["error"]}')
    return {**listed['distributions'], **listed['modules']}


def plugin_folder(mmengine: Found, distributions: list[Distribution]) -> str:
    """Return the folder in which openmim looks for the plugin, or mmengine if openmim is missing."""
    if mmengine.get('plugin') and not any(found.name == 'openmim' for found in distributions):
        return str(mmengine['plugin'])
    folders = [found.folder for found in distributions if found.name == 'hrnet-plugin']
    return str(Path(folders[0], 'hrnet_plugin')) if folders else ''


def _probe(module: str) -> Probe:
    if module in HOSTS:
        return 'host', module
    return (module, '') if module in _MODULES_WITH_PROBES else ('import', module)


def _module(located: Found, result: Found) -> Module:
    details = {key: str(value) for key, value in result.items() if key != 'error'}
    return Module(located['file'], tuple(located['folders']), result.get('error', ''), details)


def _ranges(file: str) -> tuple[Range, ...]:
    return read_ranges(_read(Path(file))) if file else ()


def _uses_pkg_resources(folders: list[str]) -> bool:
    return any('pkg_resources' in _read(Path(folder, 'utils', 'package_utils.py')) for folder in folders)


def _read(path: Path) -> str:
    """Return the text of a file. Empty if it cannot be read, e.g. because it is in a zip archive."""
    try:
        return path.read_text(encoding='utf-8', errors='replace')
    except OSError:
        return ''

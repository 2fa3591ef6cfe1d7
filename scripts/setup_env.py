"""Make .venv with everything that hrnet_plugin is trained, tested and developed with.

Needs Python 3.10 to 3.13 and a package index that pip can reach. It can be stopped and started again at any point:
finished steps are skipped, a step whose inputs changed runs again.

    python3.11 scripts/setup_env.py [--venv .venv] [--dev] [--ops torch]

mmcv comes as mmcv-lite with the operators of packages/mmcv_ops, which need no compiler. With --ops compiled, mmcv is
compiled instead, which takes a C++ compiler and 10 to 25 minutes on two cores. Without --ops, an environment keeps the
operators that it has. Its wheel is kept in a cache
(--cache), in a folder named after torch, Python, platform and device. CXX names the compiler. On a machine with an
NVIDIA GPU and nvcc, mmcv is built with its CUDA operators. pip's own settings (a pip.conf, ...) are honored.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mmcv_wheel import MMCV, build_wheel, builds_for_cuda, find_compiler, wheel_name
from setup_commands import SetupError, ask, run, say
from venv_folder import VenvFolder

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13))
OPS_PACKAGE = ROOT / 'packages' / 'mmcv_ops'
BUILD_TOOLS = ('pip>=23.2', 'wheel')
COMPILE_TOOLS = ('ninja', 'psutil')
_ORIGIN = 'import mmcv._ext; print(getattr(mmcv._ext, "ORIGIN", "compiled"))'


def check_python() -> None:
    if sys.version_info[:2] not in PYTHONS:
        wanted = ', '.join('.'.join(map(str, version)) for version in PYTHONS)
        raise SetupError(f'Python must be one of {wanted}, got {platform.python_version()}, for which the pinned stack '
                         'has no wheels.\n'
                         '  Name another interpreter with: make PYTHON=/path/to/python3.11 ...')
    if sys.platform != 'linux':
        raise SetupError(f'Linux is needed, this is {sys.platform}. docs/install.md says how to bring your own stack.')


def digest(*parts: str) -> str:
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:16]


class Environment:
    """The virtual environment under construction, and which of its steps are finished."""

    def __init__(self, folder: Path, cache: Path, dev: bool, ops: str = '') -> None:
        self.folder, self.cache, self.dev = VenvFolder(folder), cache, dev
        self.python = self.folder.python
        self.ops = ops or self.folder.recall('operators') or self.installed_operators()

    def installed_operators(self) -> str:
        """Return 'compiled' if a compiled mmcv is there, else 'torch'."""
        return 'compiled' if ask([self.python, '-c', _ORIGIN]) == 'compiled' else 'torch'

    def pip(self, *words: str | Path, failure: str, **env: str) -> None:
        run([self.python, '-m', 'pip', '--disable-pip-version-check', *words], failure, **env)

    def install(self, *words: str | Path, constrain: bool = True) -> None:
        pins = [word for name in ('stack.txt', python_pins()) for word in ('-c', ROOT / 'requirements' / name)]
        self.pip('install', '--quiet', *words, *(pins if constrain else ()),
                 failure='pip could not install a package. Is there a network, and does pip reach a package index?\n'
                         '  What is finished stays; run the same command again to go on from here.')

    def step(self, name: str, key: str, action: Callable[[], None]) -> None:
        """Run an action unless it was finished with the same key before."""
        if self.folder.recall(name) == key:
            return
        say(name)
        begin = time.monotonic()
        self.folder.forget(name)  # an action that fails may have undone what was there
        action()
        self.folder.remember(name, key)
        say(f'{name}: done in {time.monotonic() - begin:.0f} s')

    def build(self) -> None:
        """Run all steps in order, without those that are finished."""
        self.make_venv()
        pins = requirement_lines(python_pins())
        torch_pins = [line for line in pins if line.startswith(('torch', 'numpy'))]
        setuptools = next(line for line in requirement_lines('stack.txt') if line.startswith('setuptools'))
        kept = f'wheels/{wheel_name(torch_pins[0].partition("==")[2] + "*", "*")}/*.whl'
        if self.ops == 'compiled' and not any(self.cache.glob(kept)):
            find_compiler()  # say so before three gigabytes are fetched
        self.folder.remember('operators', self.ops)  # the choice outlasts an interruption
        key = digest(*torch_pins, setuptools, *BUILD_TOOLS)
        self.step('torch, torchvision and build tools (about 3 GB to fetch)', key,
                  lambda: self.install(*BUILD_TOOLS, setuptools, *torch_pins))
        self.step('mmengine, mmdet, mmsegmentation and their requirements', digest(key, *pins, file_text('stack.txt')),
                  lambda: self.install('-r', ROOT / 'requirements' / 'stack.txt', *pins))
        bare = bare_requirements(pins)
        self.step(' and '.join(line.partition('==')[0] for line in bare), digest(key, *bare),
                  lambda: self.install('--no-deps', *bare))
        self.step_operators(key)
        if self.dev:
            self.step('test and lint tools', digest(key, file_text('dev.txt')),
                      lambda: self.install('-r', ROOT / 'requirements' / 'dev.txt'))
        self.step_plugin()
        say(f'operators of mmcv: {ask([self.python, "-c", _ORIGIN]) or "none"}')

    def make_venv(self) -> None:
        version = f'{sys.version_info.major}.{sys.version_info.minor}'
        if self.folder.has_python(version):
            return
        base = str(getattr(sys, '_base_executable', '') or sys.executable)  # not the one that is about to be removed
        self.folder.clear(base)
        say(f'virtual environment in {self.folder.path}')
        run([base, '-m', 'venv', self.folder.path],
            f'The virtual environment could not be made (Debian, Ubuntu: apt-get install python{version}-venv).')

    def step_operators(self, torch_key: str) -> None:
        """Install mmcv with its operators, in one of two ways that share files and replace each other."""
        if self.ops == 'compiled':
            self.step('tools to compile mmcv', digest(torch_key, *COMPILE_TOOLS), lambda: self.install(*COMPILE_TOOLS))
            wheel = self.mmcv_wheel_folder()
            self.step('mmcv', digest(torch_key, wheel.name), lambda: self.install_mmcv(wheel))
            return
        sources = sorted(path for pattern in ('*.cfg', '*.toml', 'mmcv*/*.py') for path in OPS_PACKAGE.glob(pattern))
        key = digest(torch_key, MMCV, *(path.read_text(encoding='utf-8') for path in sources))
        self.step('mmcv', key, self.install_mmcv_lite)

    def install_mmcv_lite(self) -> None:
        """Install mmcv-lite and the operators of this repository."""
        self.remove_mmcv()
        self.install('--force-reinstall', '--no-deps', f'mmcv-lite=={MMCV}', constrain=False)
        shutil.rmtree(OPS_PACKAGE / 'build', ignore_errors=True)
        self.install('--force-reinstall', '--no-deps', '--no-build-isolation', OPS_PACKAGE, constrain=False)

    def remove_mmcv(self) -> None:
        """Remove mmcv, mmcv-lite and the operators: they share a folder, and removing one takes files of the others."""
        self.pip('uninstall', '--quiet', '--yes', 'mmcv', 'mmcv-lite', 'mmcv-torch-ops',
                 failure='pip could not remove the mmcv that was there.')

    def step_plugin(self) -> None:
        """The plugin itself, as a user has it: a plain install, which mim finds (it does not see editable ones)."""
        say('hrnet_plugin')
        shutil.rmtree(ROOT / 'build', ignore_errors=True)  # setuptools would ship files that are long gone
        self.install('--no-deps', '--force-reinstall', '--no-build-isolation', ROOT, constrain=False)

    def mmcv_wheel_folder(self) -> Path:
        """Return where the wheel for this torch, Python, platform and compute device is cached."""
        torch_version = ask([self.python, '-c', 'import torch; print(torch.__version__)'])
        if not torch_version:
            raise SetupError(f'torch does not import in {self.folder.path}. Remove that folder and run this again.')
        return self.cache / 'wheels' / wheel_name(torch_version, 'cuda' if builds_for_cuda(self.python) else 'cpu')

    def install_mmcv(self, folder: Path) -> None:
        if not list(folder.glob('mmcv-*.whl')):
            build_wheel(self.pip, folder, find_compiler(), builds_for_cuda(self.python))
        self.remove_mmcv()
        # --no-deps: its requirements are part of the stack
        self.install('--force-reinstall', '--no-deps', *folder.glob('mmcv-*.whl'))


def requirement_lines(name: str) -> list[str]:
    lines = file_text(name).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith('#')]


def file_text(name: str) -> str:
    return (ROOT / 'requirements' / name).read_text(encoding='utf-8')


def python_pins() -> str:
    """Return the name of the file with the pins for this Python."""
    return f'python-3.{min(sys.version_info.minor, 12)}.txt'


def bare_requirements(pins: Sequence[str]) -> list[str]:
    """Return what is installed without its requirements: mmpose only where there is a wheel of xtcocotools."""
    lines = requirement_lines('no-deps.txt')
    if any(line.startswith('xtcocotools') for line in pins):
        return lines
    say(f'mmpose is left out: it imports xtcocotools, which has no wheel for Python {platform.python_version()}')
    return [line for line in lines if not line.startswith('mmpose')]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'hrnet_plugin'
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv',
                        help='folder of the environment: missing, empty or made by this script (default: .venv)')
    parser.add_argument('--cache', type=Path, default=cache, help=f'where the mmcv wheel is kept ({cache})')
    parser.add_argument('--ops', choices=('torch', 'compiled'), default='',
                        help="mmcv's operators: torch (on torchvision, without a compiler) or compiled (default: those "
                             'of the environment, torch for a new one)')
    parser.add_argument('--dev', action='store_true', help='add the test and lint tools')
    args = parser.parse_args()
    begin = time.monotonic()
    try:
        check_python()
        Environment(args.venv.resolve(), args.cache.resolve(), args.dev, args.ops).build()
    except SetupError as error:
        print(f'\nset-up stopped: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nset-up interrupted; run the same command again to go on from here', file=sys.stderr)
        return 130
    say(f'ready after {time.monotonic() - begin:.0f} s: {args.venv}')
    return 0


if __name__ == '__main__':
    sys.exit(main())

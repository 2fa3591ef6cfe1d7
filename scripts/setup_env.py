"""Create the virtual environment .venv for training, testing and developing hrnet_plugin.

    python3.11 scripts/setup_env.py [--venv .venv] [--dev] [--docs] [--ops torch]

Requires Python 3.10 to 3.13 and a package index. An interrupted run can be repeated: finished steps are skipped, and
steps with changed inputs are repeated.

By default, mmcv-lite is installed with the operators of packages/mmcv_ops, which require no compiler. With --ops
compiled, mmcv is compiled instead. This requires a C++ compiler and takes 10 to 25 minutes on two cores. The
environment variable CXX selects the compiler. With an NVIDIA GPU and nvcc, CUDA operators are built. The wheel is
cached by torch, Python, platform and device (--cache). Without --ops, an existing environment keeps its operators.
Settings of pip, such as pip.conf, apply.
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
from setup_commands import SetupError, capture_output, print_status, run
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
        raise SetupError(f'Python must be one of {wanted}, got {platform.python_version()}, for which the pinned '
                         'requirements have no wheels.\n'
                         '  Select another interpreter with: make PYTHON=/path/to/python3.11 ...')
    if sys.platform != 'linux':
        raise SetupError(f'The platform must be linux, got {sys.platform}. docs/how-to/install.md describes the '
                         'installation without this script.')


def digest(*parts: str) -> str:
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:16]


class Environment:
    """Virtual environment under construction, with its finished steps.

    Args:
        folder: Folder of the environment.
        cache: Folder of compiled wheels.
        dev: Whether to install test and lint tools.
        docs: Whether to install documentation tools.
        ops: Operators of mmcv, 'torch' or 'compiled'. Default: those of the environment, else 'torch'.
    """

    def __init__(self, folder: Path, cache: Path, dev: bool, ops: str = '', docs: bool = False) -> None:
        self.folder, self.cache, self.dev, self.docs = VenvFolder(folder), cache, dev, docs
        self.python = self.folder.python
        self.ops = ops or self.folder.recall('operators') or self.installed_operators()

    def installed_operators(self) -> str:
        """Return 'compiled' if a compiled mmcv is installed, else 'torch'."""
        return 'compiled' if capture_output([self.python, '-c', _ORIGIN]) == 'compiled' else 'torch'

    def pip(self, *words: str | Path, failure: str, **env: str) -> None:
        run([self.python, '-m', 'pip', '--disable-pip-version-check', *words], failure, **env)

    def install(self, *words: str | Path, constrain: bool = True) -> None:
        pins = [word for name in ('stack.txt', python_pins()) for word in ('-c', ROOT / 'requirements' / name)]
        self.pip('install', '--quiet', *words, *(pins if constrain else ()),
                 failure='pip could not install a package. Check the network and the package index of pip.\n'
                         '  Run the same command again to continue. Finished steps are skipped.')

    def step(self, name: str, key: str, action: Callable[[], None]) -> None:
        """Run an action, unless it has finished before with the same key.

        Args:
            name: Name of the step.
            key: Digest of the inputs.
            action: Function to call.
        """
        if self.folder.recall(name) == key:
            return
        print_status(name)
        begin = time.monotonic()
        self.folder.forget(name)  # a failed action may undo an earlier one
        action()
        self.folder.remember(name, key)
        print_status(f'{name}: done in {time.monotonic() - begin:.0f} s')

    def build(self) -> None:
        """Run all unfinished steps in order."""
        self.make_venv()
        pins = requirement_lines(python_pins())
        torch_pins = [line for line in pins if line.startswith(('torch', 'numpy'))]
        setuptools = next(line for line in requirement_lines('stack.txt') if line.startswith('setuptools'))
        kept = f'wheels/{wheel_name(torch_pins[0].partition("==")[2] + "*", "*")}/*.whl'
        if self.ops == 'compiled' and not any(self.cache.glob(kept)):
            find_compiler()  # raises an error before 3 GB are downloaded
        self.folder.remember('operators', self.ops)  # an interrupted run keeps the choice
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
            self.step('test and lint tools', digest(key, file_text('dev.txt'), file_text('dev-no-deps.txt')),
                      self.install_test_tools)
        if self.docs:
            self.step('documentation tools', digest(key, file_text('docs.txt')),
                      lambda: self.install('-r', ROOT / 'requirements' / 'docs.txt'))
        self.step_plugin()
        print_status(f'operators of mmcv: {capture_output([self.python, "-c", _ORIGIN]) or "none"}')

    def install_test_tools(self) -> None:
        self.install('-r', ROOT / 'requirements' / 'dev.txt')
        self.install('--no-deps', '-r', ROOT / 'requirements' / 'dev-no-deps.txt')

    def make_venv(self) -> None:
        version = f'{sys.version_info.major}.{sys.version_info.minor}'
        if self.folder.has_python(version):
            return
        # not the interpreter of the environment, which is removed
        base = str(getattr(sys, '_base_executable', '') or sys.executable)
        self.folder.clear(base)
        print_status(f'virtual environment in {self.folder.path}')
        run([base, '-m', 'venv', self.folder.path],
            f'The virtual environment could not be created. On Debian and Ubuntu: apt-get install python{version}-venv')

    def step_operators(self, torch_key: str) -> None:
        """Install mmcv with its operators. The compiled and the lite variant replace each other."""
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
        """Remove mmcv, mmcv-lite and the operators together, since removing one deletes files of the others."""
        self.pip('uninstall', '--quiet', '--yes', 'mmcv', 'mmcv-lite', 'mmcv-torch-ops',
                 failure='pip could not remove the installed mmcv.')

    def step_plugin(self) -> None:
        """Install the plugin. The install is not editable, since mim does not find editable ones."""
        print_status('hrnet_plugin')
        shutil.rmtree(ROOT / 'build' / 'lib', ignore_errors=True)  # setuptools would install deleted files from there
        self.install('--no-deps', '--force-reinstall', '--no-build-isolation', ROOT, constrain=False)

    def mmcv_wheel_folder(self) -> Path:
        """Return the cache folder of the mmcv wheel for this torch, Python, platform and device."""
        torch_version = capture_output([self.python, '-c', 'import torch; print(torch.__version__)'])
        if not torch_version:
            raise SetupError(f'torch must import in {self.folder.path}. Remove that folder and run the same command '
                             'again.')
        return self.cache / 'wheels' / wheel_name(torch_version, 'cuda' if builds_for_cuda(self.python) else 'cpu')

    def install_mmcv(self, folder: Path) -> None:
        if not list(folder.glob('mmcv-*.whl')):
            build_wheel(self.pip, folder, find_compiler(), builds_for_cuda(self.python))
        self.remove_mmcv()
        # --no-deps: stack.txt contains its requirements
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
    """Return the packages to install without their requirements. mmpose requires a wheel of xtcocotools.

    Args:
        pins: Pins for this Python.
    """
    lines = requirement_lines('no-deps.txt')
    if any(line.startswith('xtcocotools') for line in pins):
        return lines
    print_status('mmpose is left out: it imports xtcocotools, which has no wheel for Python '
                 f'{platform.python_version()}')
    return [line for line in lines if not line.startswith('mmpose')]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'hrnet_plugin'
    parser.add_argument('--venv', type=Path, default=ROOT / '.venv',
                        help='folder of the environment: missing, empty or created by this script (default: .venv)')
    parser.add_argument('--cache', type=Path, default=cache, help=f'folder of compiled mmcv wheels (default: {cache})')
    parser.add_argument('--ops', choices=('torch', 'compiled'), default='',
                        help='operators of mmcv: torch (on torchvision, without a compiler) or compiled (default: '
                             'those of the environment, torch for a new one)')
    parser.add_argument('--dev', action='store_true', help='install test and lint tools')
    parser.add_argument('--docs', action='store_true', help='install documentation tools')
    args = parser.parse_args()
    begin = time.monotonic()
    try:
        check_python()
        Environment(args.venv.resolve(), args.cache.resolve(), args.dev, args.ops, args.docs).build()
    except SetupError as error:
        print(f'\nsetup failed: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nsetup interrupted. Run the same command again to continue.', file=sys.stderr)
        return 130
    print_status(f'ready after {time.monotonic() - begin:.0f} s: {args.venv}')
    return 0


if __name__ == '__main__':
    sys.exit(main())

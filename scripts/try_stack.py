"""Try the plugin on other stacks: a new environment, tests of the network, 20 training iterations and a test.

    python scripts/try_stack.py --list
    python scripts/try_stack.py py313 onedl        # sequentially; each takes 5 to 7 GB, which are removed afterwards

Each stack prints one row of the table in docs/reports/stacks.md. Its log stays in --logs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = 'faster-rcnn_hrnetv2p-w18-small-v1_sample'
TESTS = ('tests/models/backbones/test_hrnet.py', 'tests/models/necks', 'tests/test_arch.py', 'tests/test_tracing.py')
OPS = './packages/mmcv_ops'
# the commands of docs/how-to/install.md
DETECTION, NUMPY_1 = ('.[lite,mmdet]', OPS), ('numpy<2', 'opencv-python<4.12')
MIM = ('--no-deps', 'openmim==0.3.9'), ('click', 'colorama', 'model-index', 'pandas', 'requests', 'rich', 'tabulate')
_VERSIONS = '''
import sys, importlib.metadata as metadata
def version(*names):
    for name in names:
        try:
            return name + " " + metadata.version(name)
        except metadata.PackageNotFoundError:
            pass
    return "none"
try:
    import mmcv._ext as extension
    origin = getattr(extension, "ORIGIN", "compiled")
except ImportError:
    origin = "none"
print(sys.version.split()[0], *(version(*names) for names in (
    ("torch", ), ("numpy", ), ("mmengine", "onedl-mmengine"), ("mmcv", "mmcv-lite", "onedl-mmcv"),
    ("mmdet", "onedl-mmdetection"))), origin, sep="|")
'''


@dataclass(frozen=True)
class Stack:
    """Recipe of an environment.

    Attributes:
        python: Version of the interpreter.
        installs: Arguments of each ``pip install`` command, in order. If empty, ``scripts/setup_env.py`` is used.
        setup: Additional arguments of that script.
        has_host: Whether a host is installed, so that the sample config can be trained.
    """

    python: str
    installs: tuple[tuple[str, ...], ...] = ()
    setup: tuple[str, ...] = ()
    has_host: bool = True


STACKS = {
    'default': Stack('3.11'),
    'compiled': Stack('3.11', setup=('--ops', 'compiled')),
    'torch21': Stack('3.10', (('torch==2.1.2', 'torchvision==0.16.2'), (*DETECTION, *NUMPY_1), *MIM)),
    'py312': Stack('3.12', (('torch', 'torchvision'), DETECTION, *MIM)),
    'py313': Stack('3.13', (('torch', 'torchvision'), DETECTION, *MIM)),
    # onedl-mmcv is a source archive that is always compiled. mmcv-lite requires upstream's mmengine: --no-deps.
    'onedl': Stack('3.12', (('torch', 'torchvision', 'setuptools<81', 'onedl-mmengine'),
                            ('--no-deps', 'mmcv-lite==2.1.0'),
                            ('onedl-mmdetection', 'addict', 'yapf', 'opencv-python', '.', OPS), *MIM)),
    'network': Stack('3.11', (('torch', '.[lite]'), ), has_host=False),
}


def run(command: list[str], log: Path, folder: Path = ROOT, **env: str) -> bool:
    """Run a command and append its output to a log. Return True if it succeeds."""
    with log.open('a', encoding='utf-8') as file:
        print(f'$ {" ".join(command)}', file=file, flush=True)
        done = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT, check=False,
                              env={**os.environ, **env})
    return done.returncode == 0


def make_environment(stack: Stack, folder: Path, log: Path) -> bool:
    """Create the environment of a stack. Return True if it succeeds.

    Raises:
        FileNotFoundError: The interpreter is not on PATH.
    """
    interpreter = shutil.which(f'python{stack.python}')
    if interpreter is None:
        raise FileNotFoundError(f'python{stack.python} must be on PATH for this stack, got none')
    if not stack.installs:
        return run([interpreter, 'scripts/setup_env.py', '--venv', str(folder), '--dev', *stack.setup], log)
    pip = [str(folder / 'bin' / 'python'), '-m', 'pip', 'install', '--quiet']
    installs = (*stack.installs, ('pytest==9.2.0', 'pytest-timeout==2.4.0', 'hypothesis'))
    return run([interpreter, '-m', 'venv', str(folder)], log) and all(
        run([*pip, *words], log) for words in installs)


def run_sample_job(bin_folder: Path, log: Path, scratch: Path) -> tuple[bool, bool]:
    """Train 20 iterations and test the checkpoint with mim, outside the checkout.

    Returns:
        Whether training and test succeeded.
    """
    mim = str(bin_folder / 'mim')
    data = run([mim, 'run', 'hrnet_plugin', 'sample_set', 'data/sample', '--train', '80', '--val', '8'], log, scratch)
    path = f'{bin_folder}{os.pathsep}{os.environ["PATH"]}'
    train = data and run([mim, 'train', 'hrnet_plugin', f'{CONFIG}.py', '--work-dir', 'work', '--cfg-options',
                          'train_cfg.max_epochs=1'], log, scratch, PATH=path)
    test = train and run([mim, 'test', 'hrnet_plugin', f'{CONFIG}.py', '--checkpoint', 'work/epoch_1.pth'], log,
                         scratch, PATH=path)
    return train, test


def row(name: str, logs: Path) -> str:
    """Try a stack, and return its table row."""
    stack, log, begin = STACKS[name], logs / f'{name}.log', time.monotonic()
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, 'venv')
        made = make_environment(stack, folder, log)
        seconds = time.monotonic() - begin
        python = str(folder / 'bin' / 'python')
        done = subprocess.run([python, '-W', 'ignore', '-c', _VERSIONS], capture_output=True, text=True, check=False)
        versions = done.stdout.strip().split('|') if made and done.returncode == 0 else ['-'] * 7
        tests = made and run([python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *TESTS], log)
        counted = re.findall(r'^\d+ passed.*$', log.read_text(encoding='utf-8'), re.M)
        trained = tested = False
        if made and stack.has_host:
            trained, tested = run_sample_job(folder / 'bin', log, Path(scratch))
        outcome = ['yes' if ok else 'no' for ok in (trained, tested)] if stack.has_host else ['-', '-']
        cells = [name, *versions, f'{seconds:.0f} s' if made else 'failed',
                 counted[-1] if tests and counted else 'failed', *outcome]
    return f'| {" | ".join(cells)} |'


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('stacks', nargs='*', metavar='STACK', help='names of stacks')
    parser.add_argument('--list', action='store_true', help='print the names')
    parser.add_argument('--logs', type=Path, default=Path('stack_logs'),
                        help='folder of the logs (default: stack_logs)')
    args = parser.parse_args()
    unknown = [name for name in args.stacks if name not in STACKS]
    if args.list or unknown or not args.stacks:
        print('\n'.join(STACKS))
        return 1 if unknown else 0
    args.logs.mkdir(parents=True, exist_ok=True)
    for name in args.stacks:
        print(row(name, args.logs.resolve()), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())

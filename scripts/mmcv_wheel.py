"""Wheel of a compiled mmcv for a version of torch and Python, a platform and a device."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from setup_commands import SetupError, capture_output, print_status

MMCV = '2.1.0'
WRAPPER = Path(__file__).resolve().parent / 'cxx_with_pch.sh'


def find_compiler() -> str:
    """Return the path of the C++ compiler.

    Raises:
        SetupError: There is none.
    """
    chosen = os.environ.get('CXX')
    for name in (chosen, ) if chosen else ('c++', 'g++', 'clang++'):
        if path := shutil.which(name):
            return path
    where = f' as CXX={chosen!r}' if chosen else ''
    raise SetupError(f'A C++ compiler is required to compile mmcv, got none{where}.\n'
                     '  Install one (Debian, Ubuntu: apt-get install g++), set CXX=/path/to/g++, or use\n'
                     '  make setup OPS=torch.')


def wheel_name(torch_version: str, device: str) -> str:
    """Return the name of the cache folder of an mmcv wheel for this Python and platform.

    Args:
        torch_version: Version of torch.
        device: 'cpu' or 'cuda'.
    """
    tag = f'cp{sys.version_info.major}{sys.version_info.minor}-{sys.platform}_{platform.machine()}'
    return f'mmcv-{MMCV}-torch{torch_version}-{tag}-{device}'


def builds_for_cuda(python: Path) -> bool:
    """Return True if torch detects a GPU and a CUDA toolkit is installed."""
    probe = ('import torch; from torch.utils.cpp_extension import CUDA_HOME; '
             'print(torch.cuda.is_available(), CUDA_HOME)')
    has_gpu, _, toolkit = capture_output([python, '-c', probe]).partition(' ')
    if has_gpu == 'True' and toolkit == 'None':
        print_status('GPU without CUDA toolkit: building mmcv without CUDA operators')
    return has_gpu == 'True' and toolkit != 'None'


def build_wheel(pip: Callable[..., None], folder: Path, compiler: str, for_cuda: bool) -> None:
    """Compile mmcv against the torch of an environment. An incomplete wheel never enters the cache.

    Args:
        pip: Function that runs pip in the environment, with environment variables as keyword arguments.
        folder: Folder of the wheel.
        compiler: Path of the C++ compiler.
        for_cuda: Whether to build the CUDA operators.
    """
    print_status(f'compiling mmcv with {compiler}: about 10 minutes on 2 cores, once for this torch and Python')
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch, tempfile.TemporaryDirectory() as tools:
        # a copy, since torch does not support compiler paths with spaces
        wrapper = shutil.copy2(WRAPPER, tools)
        # with a visible GPU, mmcv builds its CUDA operators regardless of FORCE_CUDA
        device = dict(FORCE_CUDA='1') if for_cuda else dict(CUDA_VISIBLE_DEVICES='')
        # --no-build-isolation: without torch, mmcv is built without operators and without an error.
        # --no-cache-dir: pip caches wheels by their source archive, not by the version of torch.
        pip('wheel', f'mmcv=={MMCV}', '--no-binary', 'mmcv', '--no-deps', '--no-build-isolation', '--no-cache-dir',
            '--wheel-dir', Path(scratch, 'wheel'),
            failure='mmcv could not be downloaded or compiled. The error is printed above.\n'
                    '  make setup OPS=torch requires no compiler.',
            MMCV_WITH_OPS='1', MAX_JOBS=str(len(os.sched_getaffinity(0))), CFLAGS='-g0 -O2', CXXFLAGS='-g0 -O2',
            CXX=wrapper, PCH_CXX=compiler, PCH_DIR=tools, **device)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(Path(scratch, 'wheel'), folder)

"""Hardware and package versions for records of measurements."""

from __future__ import annotations

import platform
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from hrnet_plugin.hosts import HOSTS

_PACKAGES = ('hrnet_plugin', 'mmengine', 'mmcv', 'mmcv-lite', 'mmcv-torch-ops',
             *(host.distribution for host in HOSTS.values()))


def describe(device: str = 'cpu') -> dict[str, Any]:
    """Return the hardware and the package versions.

    Args:
        device: Device of the measurement, e.g. 'cpu' or 'cuda'.
    """
    facts: dict[str, Any] = dict(device=device, processor=_processor(), threads=torch.get_num_threads(),
                                 instructions=torch.backends.cpu.get_cpu_capability(), python=platform.python_version())
    facts.update(package_versions())
    facts['operators'] = mmcv_operators()
    if device != 'cpu':
        facts.update(gpu=torch.cuda.get_device_name(device), cuda=torch.version.cuda,
                     cudnn=torch.backends.cudnn.version(), tf32=torch.backends.cudnn.allow_tf32)
    return facts


def package_versions() -> dict[str, str]:
    """Return the versions of this package, torch, mmengine, mmcv and all hosts that are installed."""
    found = dict(torch=str(torch.__version__))
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def mmcv_operators() -> str:
    """Return the origin of mmcv's operators: 'compiled', 'mmcv_torch_ops VERSION', or 'none'."""
    try:
        return str(getattr(import_module('mmcv._ext'), 'ORIGIN', 'compiled'))
    except ImportError:
        return 'none'


def _processor() -> str:
    info = Path('/proc/cpuinfo')
    if info.is_file():
        lines = info.read_text().splitlines()
        names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
        if names:
            return names[0]
    return platform.processor() or platform.machine()

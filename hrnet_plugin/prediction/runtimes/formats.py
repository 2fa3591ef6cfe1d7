"""Formats of exported models."""

from __future__ import annotations

from pathlib import Path

from hrnet_plugin.json_files import read_bytes
from hrnet_plugin.prediction.runtimes.onnxruntime import OnnxRuntime
from hrnet_plugin.prediction.runtimes.openvino import OpenVinoRuntime
from hrnet_plugin.prediction.runtimes.pt2 import TorchExportRuntime
from hrnet_plugin.prediction.runtimes.runtime import Runtime
from hrnet_plugin.requirements import install_command

#: Suffix of the file that the user names -> runtime.
RUNTIMES: dict[str, type[Runtime]] = {
    runtime.suffixes[0]: runtime for runtime in (OnnxRuntime, OpenVinoRuntime, TorchExportRuntime)}


def is_exported(path: str | Path) -> bool:
    """Return True if the suffix of a file is that of an exported model."""
    return Path(path).suffix.lower() in RUNTIMES


def open_runtime(path: str | Path) -> Runtime:
    """Open an exported model.

    Args:
        path: File with the suffix .onnx, .xml or .pt2. A .xml file has a .bin file beside it.

    Raises:
        ImportError: If the package of the runtime is not installed.
        OSError: If a file is missing or not readable.
        ValueError: If the files are no exported model. The message has one line.
    """
    path = Path(path)
    if not is_exported(path):
        raise ValueError(f'{path} must have one of the suffixes {", ".join(RUNTIMES)}, got {path.suffix!r}')
    runtime = RUNTIMES[path.suffix.lower()]
    parts = [path, *(path.with_suffix(suffix) for suffix in runtime.suffixes[1:])]
    files = {suffix: read_bytes(part, 'an exported model', max_bytes=None)
             for suffix, part in zip(runtime.suffixes, parts)}
    try:
        return runtime(files, str(path))
    except ImportError as error:
        raise ImportError(f'{runtime.package} must be installed for {path.suffix} files: '
                          f'{install_command(runtime.package)}') from error

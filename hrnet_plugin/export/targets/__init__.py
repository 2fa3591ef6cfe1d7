"""Formats of exported files."""

from __future__ import annotations

from hrnet_plugin.export.targets.onnx import OnnxTarget
from hrnet_plugin.export.targets.openvino import OpenVinoTarget
from hrnet_plugin.export.targets.pt2 import TorchExportTarget
from hrnet_plugin.export.targets.target import Run, Target

__all__ = ['TARGETS', 'Run', 'Target']

#: Name for the option ``--to`` -> format.
TARGETS: dict[str, Target] = {target.name: target for target in (OnnxTarget(), OpenVinoTarget(), TorchExportTarget())}

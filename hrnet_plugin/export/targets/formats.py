"""Formats of exported files by name."""

from __future__ import annotations

from hrnet_plugin.export.targets.onnx import OnnxTarget
from hrnet_plugin.export.targets.openvino import OpenVinoTarget
from hrnet_plugin.export.targets.pt2 import TorchExportTarget
from hrnet_plugin.export.targets.target import Target

#: Name for the option ``--to`` -> format.
TARGETS: dict[str, Target] = {target.name: target for target in (OnnxTarget(), OpenVinoTarget(), TorchExportTarget())}

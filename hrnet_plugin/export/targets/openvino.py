"""Export to OpenVINO IR."""

from __future__ import annotations

import tempfile
from pathlib import Path

from torch import Tensor

from hrnet_plugin.execution.openvino_engine import openvino_core
from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.targets.onnx import export_to_onnx
from hrnet_plugin.export.targets.target import Target
from hrnet_plugin.prediction.metadata import METADATA_KEY, ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_to_json
from hrnet_plugin.prediction.runtimes.openvino import OpenVinoRuntime


class OpenVinoTarget(Target):
    """OpenVINO IR in float32, converted from ONNX. It consists of two files.

    Names and order of its layers differ between two exports of the same model.
    """

    name = 'openvino'
    runtime = OpenVinoRuntime
    packages = ('onnx', 'openvino')

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model to ONNX, and convert it."""
        core = openvino_core()
        import openvino
        converted = core.read_model(export_to_onnx(model, images))
        converted.set_rt_info(metadata_to_json(metadata), METADATA_KEY)
        with tempfile.TemporaryDirectory() as folder:  # OpenVINO writes only to paths
            path = Path(folder, 'model.xml')
            openvino.save_model(converted, path, compress_to_fp16=False)
            return {suffix: path.with_suffix(suffix).read_bytes() for suffix in self.runtime.suffixes}

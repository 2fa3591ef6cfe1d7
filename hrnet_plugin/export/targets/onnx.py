"""Export to ONNX."""

from __future__ import annotations

import io
import warnings
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.execution.onnx_export import OPSET, exporter_options
from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.targets.target import Target
from hrnet_plugin.prediction.metadata import METADATA_KEY, ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_to_json
from hrnet_plugin.prediction.runtimes.onnxruntime import OnnxRuntime
from hrnet_plugin.prediction.runtimes.runtime import INPUT


class OnnxTarget(Target):
    """ONNX, run by ONNX Runtime."""

    name = 'onnx'
    runtime = OnnxRuntime
    packages = ('onnx', 'onnxruntime')

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with the TorchScript-based exporter."""
        import onnx
        proto = onnx.load_model_from_string(export_to_onnx(model, images))
        proto.metadata_props.add(key=METADATA_KEY, value=metadata_to_json(metadata))
        onnx.checker.check_model(proto, full_check=True)
        return {self.runtime.suffixes[0]: proto.SerializeToString(deterministic=True)}


def export_to_onnx(model: ExportableModel, images: Tensor) -> bytes:
    """Export a model with the TorchScript-based exporter.

    Args:
        model: Model in eval mode.
        images: Example input.

    Returns:
        Serialized model without metadata.
    """
    file: Any = io.BytesIO()  # newer annotations name paths only
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # deprecation of the exporter, and sizes that it wrongly takes for constants
        with torch.no_grad():
            torch.onnx.export(
                model, (images, ), file, opset_version=OPSET, input_names=[INPUT], output_names=list(model.outputs),
                dynamic_axes={INPUT: {0: 'batch', 2: 'height', 3: 'width'}, **model.outputs}, **exporter_options())
    return file.getvalue()

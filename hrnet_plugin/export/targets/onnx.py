"""Export to ONNX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnet_plugin.execution.onnx_export import OPSET, exporter_options
from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.targets.target import Run, Target
from hrnet_plugin.prediction.metadata import METADATA_KEY, ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_to_json

INPUT = 'images'


class OnnxTarget(Target):
    """ONNX, run by ONNX Runtime."""

    name = 'onnx'
    suffixes = ('.onnx', )
    packages = ('onnx', 'onnxruntime')

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with the TorchScript-based exporter."""
        import onnx
        proto = onnx.load_model_from_string(_export(model, images))
        proto.metadata_props.add(key=METADATA_KEY, value=metadata_to_json(metadata))
        onnx.checker.check_model(proto, full_check=True)
        return {self.suffixes[0]: proto.SerializeToString(deterministic=True)}

    def load(self, files: Mapping[str, bytes]) -> Run:
        """Load a model with ONNX Runtime on the CPU."""
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3  # errors
        session = onnxruntime.InferenceSession(files[self.suffixes[0]], options, providers=['CPUExecutionProvider'])
        names = [node.name for node in session.get_outputs()]

        def run(images: NDArray[np.float32]) -> Mapping[str, NDArray[np.generic]]:
            return dict(zip(names, session.run(names, {INPUT: images})))

        return run


def _export(model: ExportableModel, images: Tensor) -> bytes:
    file: Any = io.BytesIO()  # newer annotations name paths only
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # deprecation of the exporter, and sizes that it wrongly takes for constants
        with torch.no_grad():
            torch.onnx.export(
                model, (images, ), file, opset_version=OPSET, input_names=[INPUT], output_names=list(model.outputs),
                dynamic_axes={INPUT: {0: 'batch', 2: 'height', 3: 'width'}, **model.outputs}, **exporter_options())
    return file.getvalue()

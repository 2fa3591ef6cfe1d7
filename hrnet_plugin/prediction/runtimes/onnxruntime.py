"""ONNX models in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from hrnet_plugin.prediction.metadata import METADATA_KEY
from hrnet_plugin.prediction.runtimes.runtime import INPUT, Outputs, Runtime, check_names, invalid_model, read_metadata


class OnnxRuntime(Runtime):
    """ONNX model on the CPU."""

    suffixes = ('.onnx', )
    package = 'onnxruntime'

    def __init__(self, files: Mapping[str, bytes], source: str) -> None:
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 4  # its errors are raised, too
        with invalid_model(source, 'an ONNX model'):
            self._session = onnxruntime.InferenceSession(files['.onnx'], options, providers=['CPUExecutionProvider'])
        self.metadata = read_metadata(self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY), source)
        inputs, outputs = ([node.name for node in nodes]
                           for nodes in (self._session.get_inputs(), self._session.get_outputs()))
        check_names(source, self.metadata, tuple(inputs), tuple(outputs))

    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Predict on images of shape (B, C, H, W)."""
        return dict(zip(self.metadata.outputs, self._session.run(None, {INPUT: images})))

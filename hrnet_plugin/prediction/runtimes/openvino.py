"""OpenVINO IR in OpenVINO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from hrnet_plugin.execution.openvino_engine import openvino_core
from hrnet_plugin.prediction.metadata import METADATA_KEY
from hrnet_plugin.prediction.runtimes.runtime import Outputs, Runtime, check_names, invalid_model, read_metadata

if TYPE_CHECKING:
    import openvino


class OpenVinoRuntime(Runtime):
    """OpenVINO IR in float32 on the CPU."""

    suffixes = ('.xml', '.bin')
    package = 'openvino'

    def __init__(self, files: Mapping[str, bytes], source: str) -> None:
        core = openvino_core()
        with invalid_model(source, 'an OpenVINO IR'):
            model = core.read_model(files['.xml'], files['.bin'])
            found = dict(model.get_rt_info()).get(METADATA_KEY)
            text = None if found is None else found.astype(str)
        self.metadata = read_metadata(text, source)
        with invalid_model(source, 'an OpenVINO IR'):
            compiled = core.compile_model(model, 'CPU', {
                'INFERENCE_NUM_THREADS': torch.get_num_threads(), 'PERFORMANCE_HINT': 'LATENCY',
                'INFERENCE_PRECISION_HINT': 'f32'})  # bfloat16 is the default on some CPUs
            names = [tuple(_name(port) for port in ports) for ports in (compiled.inputs, compiled.outputs)]
        check_names(source, self.metadata, *names)
        self._request = compiled.create_infer_request()

    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Predict on images of shape (B, C, H, W)."""
        self._request.infer([images])
        return {name: tensor.data.copy() for name, tensor in zip(self.metadata.outputs, self._request.output_tensors)}


def _name(port: openvino.ConstOutput) -> str:
    """Return the name of an input or output, or an empty text."""
    return min(port.get_names(), default='')

"""Inference engine on OpenVINO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

import torch
from torch import Tensor

from hrnet_plugin.execution.shape_cache import ShapeCache


def compile_for_openvino(model: bytes) -> Callable[..., tuple[Tensor, ...]]:
    """Compile an ONNX model to a function of float32 feature maps on the CPU. Its outputs are contiguous.

    Args:
        model: Serialized model. Inputs and outputs have the shape (N, C, H, W).

    Raises:
        ImportError: If openvino is not installed.
    """
    import openvino
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(model), 'CPU', {
        'INFERENCE_NUM_THREADS': torch.get_num_threads(), 'PERFORMANCE_HINT': 'LATENCY',
        'INFERENCE_PRECISION_HINT': 'f32'})  # bfloat16 is the default on some CPUs
    request, lock, out_shapes = compiled.create_infer_request(), Lock(), ShapeCache()

    def infer(request: openvino.InferRequest, inputs: Sequence[Tensor], outs: Sequence[Tensor]) -> None:
        for i, x in enumerate(inputs):
            request.set_input_tensor(i, openvino.Tensor(x.numpy(), shared_memory=True))
        for i, out in enumerate(outs):
            request.set_output_tensor(i, openvino.Tensor(out.numpy(), shared_memory=True))
        request.infer()

    def forward(*feats: Tensor) -> tuple[Tensor, ...]:
        feats = tuple(x.contiguous() for x in feats)
        shapes = out_shapes.find(feats)
        if shapes is None:
            first = compiled.create_infer_request()
            infer(first, feats, ())
            arrays = [tensor.data.copy() for tensor in first.output_tensors]
            return out_shapes.store(feats, tuple(map(torch.from_numpy, arrays)))
        outs = tuple(torch.empty(shape, dtype=torch.float32, device='cpu') for shape in shapes)
        with lock:  # a request serves one thread at a time
            infer(request, feats, outs)
        return outs

    return forward

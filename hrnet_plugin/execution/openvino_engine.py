"""Inference engine on OpenVINO."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hrnet_plugin.execution.shape_cache import ShapeCache

if TYPE_CHECKING:
    import openvino


@cache
def openvino_core() -> openvino.Core:
    """Return the only ``Core`` of the process, which is never freed.

    Each ``Core`` installs an alternate signal stack, and restores the previous one when it is freed. If the ``Core`` of
    the previous one was freed earlier, that one is unmapped. Then the next signal, such as SIGCHLD of a data loader's
    worker, crashes the process. The additional reference keeps the object alive when the interpreter exits.
    """
    with _without_telemetry():
        import openvino
    core = openvino.Core()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(core))
    return core


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Hide ``openvino_telemetry``, which sends usage statistics at import, and starts a process for it."""
    name = 'openvino_telemetry'
    if name in sys.modules:  # the user has imported OpenVINO
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


def compile_for_openvino(model: bytes) -> Callable[..., tuple[Tensor, ...]]:
    """Compile an ONNX model to a function of float32 feature maps on the CPU. Its outputs are contiguous.

    Args:
        model: Serialized model. Inputs and outputs have the shape (N, C, H, W).

    Raises:
        ImportError: If openvino is not installed.
    """
    core = openvino_core()
    import openvino
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

"""Inference engine on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from hrnet_plugin.execution.shape_cache import ShapeCache


def compile_for_onnxruntime(model: bytes) -> Callable[..., tuple[Tensor, ...]]:
    """Compile an ONNX model to a function of float32 feature maps on the CPU. Its outputs are contiguous.

    Args:
        model: Serialized model. Inputs and outputs have the shape (N, C, H, W).

    Raises:
        ImportError: If onnxruntime is not installed.
    """
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    # idle threads must not compete with the operators of torch that follow
    options.add_session_config_entry('session.force_spinning_stop', '1')
    session = onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
    inputs, outputs = [[node.name for node in nodes] for nodes in (session.get_inputs(), session.get_outputs())]
    out_shapes = ShapeCache()

    def forward(*feats: Tensor) -> tuple[Tensor, ...]:
        feats = tuple(x.contiguous() for x in feats)
        shapes = out_shapes.find(feats)
        if shapes is None:
            arrays = session.run(outputs, {name: x.numpy() for name, x in zip(inputs, feats)})
            return out_shapes.store(feats, tuple(map(torch.from_numpy, arrays)))
        outs = tuple(torch.empty(shape, dtype=torch.float32, device='cpu') for shape in shapes)
        binding = session.io_binding()
        for name, x in zip(inputs, feats):
            binding.bind_input(name, 'cpu', 0, np.float32, x.shape, x.data_ptr())
        for name, out in zip(outputs, outs):
            binding.bind_output(name, 'cpu', 0, np.float32, out.shape, out.data_ptr())
        session.run_with_iobinding(binding)
        return outs

    return forward

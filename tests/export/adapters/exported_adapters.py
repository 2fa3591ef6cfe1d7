"""Exports of adapters for the tests, in every format."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
import torch
from torch import nn

OPSET = 17


class WithSize(nn.Module):
    """Adapter of images that are not padded."""

    def __init__(self, adapter):
        super().__init__()
        self.adapter = adapter

    def forward(self, images):
        return self.adapter(images, images.shape[2:])


def export_onnx(module, example, outputs):
    """Export a module of one input with dynamic axes."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            module.eval(), (example, ), file, opset_version=OPSET, dynamo=False, input_names=['input'],
            output_names=list(outputs), dynamic_axes={'input': {0: 'batch', 2: 'height', 3: 'width'}, **outputs})
    return file.getvalue()


def run_onnx(data):
    """Return a function that runs an ONNX model in ONNX Runtime."""
    session = pytest.importorskip('onnxruntime').InferenceSession(data, providers=['CPUExecutionProvider'])
    return lambda x: session.run(None, {'input': x.numpy()})


def run_openvino(data):
    """Return a function that runs an ONNX model in OpenVINO."""
    openvino = pytest.importorskip('openvino')
    core = openvino.Core()
    model = core.compile_model(core.read_model(data, b''), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda x: [np.array(value) for value in model([x.numpy()]).values()]


def run_torch_export(module, example):
    """Return a function that runs the result of ``torch.export``. The example must have more than one image."""
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.export.export(module.eval(), (example, ), dynamic_shapes=({0: dynamic, 2: dynamic, 3: dynamic}, ))
    return run_eager(program.module())


def run_formats(kind, module, size, outputs):
    """Return functions that run an adapter in ONNX Runtime and OpenVINO ('onnx'), or in torch.export."""
    if kind == 'onnx':
        data = export_onnx(module, torch.randn(1, 3, *size), outputs)
        return [run_onnx(data), run_openvino(data)]
    return [run_torch_export(module, torch.randn(2, 3, *size))]


def run_eager(module):
    """Return a function that runs a module."""
    def run(x):
        with torch.no_grad():
            return [value.numpy() for value in module(x)]
    return run

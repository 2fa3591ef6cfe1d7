"""Inference engines by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from mmengine.logging import print_log
from torch import Tensor, fx, nn

from hrnet_plugin.execution.onnx_export import check_export, export_onnx
from hrnet_plugin.execution.onnxruntime_engine import compile_for_onnxruntime
from hrnet_plugin.execution.openvino_engine import compile_for_openvino
from hrnet_plugin.execution.rewriter import UnsupportedGraph
from hrnet_plugin.execution.torch_engine import compile_for_torch

Forward = Callable[..., tuple[Tensor, ...]]

# engines that compile ONNX models, fastest first. Package and name of the engine are the same.
_ONNX_ENGINES: dict[str, Callable[[bytes], Forward]] = {
    'openvino': compile_for_openvino, 'onnxruntime': compile_for_onnxruntime}
ENGINES = ('auto', 'torch', *_ONNX_ENGINES)
# ONNX Runtime was slower than the torch engine in most cases of benchmarks/engines.py
_FASTER_THAN_TORCH = ('openvino', )
# numbers of images from which preparing an engine takes less time than it saves
_MIN_IMAGES, _MIN_IMAGES_ONNX = 8, 500


@dataclass(frozen=True)
class EngineOptions:
    """Options of all engines.

    Attributes:
        max_graphs: On GPUs, maximum number of input shapes per module with a CUDA graph. 0 for none.
        use_cache: Whether exported models are stored on disk and read from there.
    """
    max_graphs: int = 8
    use_cache: bool = True


def choose_engines(engine: str, expected_images: int | None) -> tuple[str, ...]:
    """Return engines to try, in order. Empty if the eager model takes less time.

    Args:
        engine: One of :data:`ENGINES`.
        expected_images: Number of images to predict, or None if it is unknown.
    """
    installed = [name for name in _ONNX_ENGINES if find_spec(name) is not None]
    if engine in _ONNX_ENGINES and engine not in installed:
        print_log(f'engine must be installed, got {engine!r}: pip install {engine} onnx. The torch engine is used',
                  logger='current', level=logging.WARNING)
    if engine != 'auto':
        return *(name for name in installed if name == engine), 'torch'
    if expected_images is not None and expected_images < _MIN_IMAGES:
        return ()
    is_long = expected_images is not None and expected_images >= _MIN_IMAGES_ONNX
    return *(name for name in installed if is_long and name in _FASTER_THAN_TORCH), 'torch'


def compile_module(engine: str, module: nn.Module, graph: fx.Graph, feats: Sequence[Tensor], dtype: torch.dtype,
                   options: EngineOptions) -> Forward:
    """Compile a module in eval mode to a function of feature maps. Its outputs are contiguous.

    Args:
        engine: Name of an installed engine.
        module: Module to compile. It is not changed.
        graph: Trace of the module.
        feats: Inputs. Device and number of channels must be those of later inputs.
        dtype: Data type of the computation.
        options: Options of all engines.

    Raises:
        UnsupportedGraph: If the engine cannot run the module.
    """
    device = feats[0].device
    if engine == 'torch':
        return compile_for_torch(module, graph, device, dtype, options.max_graphs)
    if device.type != 'cpu' or dtype != torch.float32:
        raise UnsupportedGraph(f'{engine} computes in float32 on CPUs, not in {dtype} on {device}')
    model, exported = export_onnx(module, graph, feats, options.use_cache)
    function = _ONNX_ENGINES[engine](model)
    check_export(function, exported, feats)
    return function

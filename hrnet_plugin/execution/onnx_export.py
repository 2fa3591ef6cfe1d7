"""Export of inference graphs to ONNX."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from hrnet_plugin.execution.engine_cache import graph_key, read_or_make
from hrnet_plugin.execution.graph import EXPORT_PASSES, rewrite
from hrnet_plugin.execution.graph_module import make_graph_module
from hrnet_plugin.execution.packed_conv import ConvWeights
from hrnet_plugin.execution.rewriter import UnsupportedGraph

#: Opset of all exported models.
OPSET = 17
_EXAMPLE_SIZE = 64  # height and width of the largest example input


class ExportableConv(nn.Module):
    """Convolution with constant weights.

    Args:
        conv: Weights and geometry.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, conv: ConvWeights) -> None:
        super().__init__()
        self.register_buffer('weight', conv.weight.detach().contiguous())
        self.register_buffer('bias', None if conv.bias is None else conv.bias.detach())
        self.geometry = (tuple(conv.stride), tuple(conv.padding), tuple(conv.dilation), conv.groups)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve feature maps of shape (N, C, H, W)."""
        return F.conv2d(x, self.weight, self.bias, *self.geometry)

    def extra_repr(self) -> str:
        return str(self.geometry)


def export_onnx(module: nn.Module, graph: fx.Graph, feats: Sequence[Tensor], use_cache: bool = True
                ) -> tuple[bytes, nn.Module]:
    """Export a module in eval mode to an ONNX model with dynamic batch size, height and width.

    Batch norms are folded into convolutions.

    Args:
        module: Module to export. It is not changed.
        graph: Trace of the module.
        feats: Inputs of shape (N, C, H, W). Their values have no effect.
        use_cache: Whether to read the model from the cache, and to store it there.

    Returns:
        Serialized model with the inputs ``input_0``, ``input_1``, ... and the outputs ``output_0``, ``output_1``, ...,
        and the module that was exported.

    Raises:
        UnsupportedGraph: If the graph cannot be rewritten, or layers are in training mode.
    """
    attributes, rewritten = rewrite(module, graph, EXPORT_PASSES, ExportableConv)
    exported = _make_exportable(attributes, rewritten)

    def export() -> bytes:
        try:
            return _export(exported, _examples(feats, _EXAMPLE_SIZE))
        except Exception:  # the example is too small, e.g. for many pyramid levels
            return _export(exported, [x.detach().contiguous() for x in feats])

    is_cached = use_cache and not any('forward' in vars(part) for part in _layers(attributes))
    model = read_or_make(graph_key(rewritten, attributes), export) if is_cached else export()
    return model, exported


def make_exportable(module: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    """Convert a module in eval mode to an equal one whose export is fast. Batch norms are folded.

    Args:
        module: Module to export. It is not changed.
        graph: Trace of the module.

    Raises:
        UnsupportedGraph: If the graph cannot be rewritten, or layers are in training mode.
    """
    return _make_exportable(*rewrite(module, graph, EXPORT_PASSES, ExportableConv))


def _make_exportable(attributes: Mapping[str, Any], graph: fx.Graph) -> fx.GraphModule:
    if any(part.training for part in _layers(attributes)):
        raise UnsupportedGraph('its layers are in training mode')
    # copies of the user's layers, because the exporter changes their mode
    copies = {name: value if isinstance(value, ExportableConv) else deepcopy(value)
              for name, value in attributes.items()}
    exported = make_graph_module(copies, graph)
    exported.eval()
    return exported


def _layers(attributes: Mapping[str, Any]) -> list[nn.Module]:
    """Return the modules of a graph that are no collected convolutions."""
    return [part for attribute in attributes.values() if isinstance(attribute, nn.Module)
            for part in attribute.modules() if not isinstance(part, ExportableConv)]


def check_export(run: Callable[..., Sequence[Tensor]], module: nn.Module, feats: Sequence[Tensor]) -> None:
    """Compare a compiled model with the exported module, at another size than that of the export.

    Raises:
        UnsupportedGraph: If the outputs differ.
    """
    examples = [torch.linspace(-1, 1, x.numel()).sin().view(x.shape) for x in _examples(feats, 2 * _EXAMPLE_SIZE)]
    expected, got = module(*examples), run(*examples)
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    if any(a.shape != b.shape or not torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max()))
           for a, b in zip(got, expected)):
        raise UnsupportedGraph('its outputs differ from those of the eager model')


def _examples(feats: Sequence[Tensor], size: int) -> list[Tensor]:
    """Return inputs with the channels of others and the ratios of their sizes. The largest one has ``size`` pixels."""
    largest = max(x.size(2) for x in feats)
    ratios = [max(round(largest / x.size(2)), 1) for x in feats]
    return [torch.zeros(1, x.size(1), max(size // ratio, 1), max(size // ratio, 1), dtype=torch.float32, device='cpu')
            for x, ratio in zip(feats, ratios)]


def _export(module: fx.GraphModule, examples: Sequence[Tensor]) -> bytes:
    (outs, ) = next(node for node in module.graph.nodes if node.op == 'output').args
    inputs = [f'input_{i}' for i in range(len(examples))]
    outputs = [f'output_{i}' for i in range(len(outs) if isinstance(outs, (list, tuple)) else 1)]
    file: Any = io.BytesIO()  # newer annotations name paths only
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # deprecation of the exporter, and sizes that it wrongly takes for constants
        torch.onnx.export(module, tuple(examples), file, opset_version=OPSET, input_names=inputs,
                          output_names=outputs, **exporter_options(),
                          dynamic_axes={name: {0: 'batch', 2: 'height', 3: 'width'} for name in [*inputs, *outputs]})
    return file.getvalue()


def exporter_options() -> dict[str, Any]:
    """Return the option of the TorchScript-based exporter, which takes a tenth of the time of the newer one."""
    return {'dynamo': False} if tuple(map(int, torch.__version__.split('.')[:2])) >= (2, 5) else {}

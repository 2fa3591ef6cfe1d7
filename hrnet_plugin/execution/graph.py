"""Inference graphs: a torch.fx trace of the eager network, rewritten by passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from threading import Lock
from typing import Any

import torch
from torch import Tensor, fx, nn

from hrnet_plugin.execution.conv_passes import collect_convs, fold_norms, fuse_adds, fuse_relus, interpolate_first
from hrnet_plugin.execution.graph_module import make_graph_module
from hrnet_plugin.execution.graph_passes import check_overwrites, drop_unused, normalize, reuse_memory
from hrnet_plugin.execution.packed_conv import Conv, ConvWeights, PackedConv
from hrnet_plugin.execution.rewriter import Rewriter, UnsupportedGraph
from hrnet_plugin.models.layers.optimizable import OptimizableModule

#: Passes for engines that fuse operators and plan memory themselves.
EXPORT_PASSES = (check_overwrites, normalize, collect_convs, interpolate_first, drop_unused, fold_norms, drop_unused)
_TORCH_PASSES = (*EXPORT_PASSES, fuse_adds, fuse_relus, drop_unused, reuse_memory)
_TRACING = Lock()


class _Tracer(fx.Tracer):
    traced_func_name = 'eager_forward'


def trace(module: OptimizableModule) -> fx.Graph:
    """Trace the eager forward of a module in eval mode, without gradients.

    torch.fx patches ``nn.Module`` while it traces, so no other thread may run a module at the same time.

    Raises:
        UnsupportedGraph: If the module cannot be traced.
    """
    concrete = None if module.num_inputs is None else {'inputs': [fx.PH] * module.num_inputs}
    tracer, modes = _Tracer(), [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = False
        with _TRACING, torch.no_grad():
            graph = tracer.trace(module, concrete_args=concrete)
    except Exception as error:  # raised by layers that depend on tensor values
        raise UnsupportedGraph(f'torch.fx cannot trace it: {error}') from error
    finally:
        tracer.__dict__.clear()  # breaks a reference cycle that keeps the module alive
        for part, training in modes:
            part.training = training
    graph.set_codegen(fx.graph.CodeGen())
    return graph


def compile_graph(module: nn.Module, graph: fx.Graph, make_conv: Callable[[ConvWeights], PackedConv],
                  dtype: torch.dtype = torch.float32) -> Callable[..., Sequence[Tensor]]:
    """Compile the graph of a module in eval mode to a function of channels_last feature maps.

    Args:
        module: Module whose weights become constants of the function.
        graph: Trace of the module. It is not changed.
        make_conv: Function that prepares a convolution.
        dtype: Data type of the feature maps.

    Raises:
        UnsupportedGraph: If the graph reads a tensor after it was overwritten, or if weights outside of convolutions
            have another data type.
    """
    attributes, rewritten = rewrite(module, graph, _TORCH_PASSES, make_conv)
    for name, attribute in attributes.items():
        weights = attribute.parameters() if isinstance(attribute, nn.Module) else [attribute]
        if any(isinstance(x, Tensor) and x.is_floating_point() and x.dtype != dtype for x in weights):
            raise UnsupportedGraph(f'{name} does not compute in {dtype}')
    return make_graph_module(attributes, rewritten).forward


def rewrite(module: nn.Module, graph: fx.Graph, passes: Sequence[Callable[[Rewriter], None]],
            make_conv: Callable[[ConvWeights], Conv]) -> tuple[dict[str, Any], fx.Graph]:
    """Apply passes to a copy of the graph of a module.

    Args:
        module: Module whose weights become constants.
        graph: Trace of the module. It is not changed.
        passes: Passes in their order.
        make_conv: Function that prepares a convolution.

    Returns:
        Attributes by name, and the graph that uses them.
    """
    rewriter = Rewriter(module, deepcopy(graph))
    for apply in passes:
        apply(rewriter)
    return rewriter.attributes(make_conv), rewriter.graph

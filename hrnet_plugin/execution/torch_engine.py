"""Inference engine on torch: folded batch norms, prepacked weights, fused sums and ReLUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, fx, nn

from hrnet_plugin.execution.cuda_graphs import CudaGraphCache, capture_cuda_graph
from hrnet_plugin.execution.graph import compile_graph
from hrnet_plugin.execution.memory_format import to_channels_last, to_contiguous
from hrnet_plugin.execution.packed_conv import packed_conv_class


def compile_for_torch(module: nn.Module, graph: fx.Graph, device: torch.device, dtype: torch.dtype, max_graphs: int
                      ) -> Callable[..., tuple[Tensor, ...]]:
    """Compile a module in eval mode to a function of feature maps. Its outputs are contiguous.

    Args:
        module: Module to compile. It is not changed.
        graph: Trace of the module.
        device: Device of the feature maps.
        dtype: Data type of the computation.
        max_graphs: On GPUs, maximum number of input shapes with a CUDA graph. 0 for none.

    Raises:
        UnsupportedGraph: If the module cannot be compiled.
    """
    conv_class = packed_conv_class(device, dtype)
    run: Callable[..., Sequence[Tensor]] = compile_graph(module, graph, lambda conv: conv_class(conv, dtype), dtype)
    if device.type == 'cuda':
        run = CudaGraphCache(run, max_graphs, capture_cuda_graph)

    def forward(*feats: Tensor) -> tuple[Tensor, ...]:
        return tuple(map(to_contiguous, run(*(to_channels_last(x.to(dtype)) for x in feats))))

    return forward

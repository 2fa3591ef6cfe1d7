"""CUDA graphs, which launch hundreds of small kernels at once. Each input shape requires its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock

import torch
from mmengine.logging import print_log
from torch import Tensor

Function = Callable[..., Sequence[Tensor]]
_Shapes = tuple[tuple[torch.Size, tuple[int, ...]], ...]  # shape and strides per input
_MAX_SEEN = 256  # input shapes without a graph that are stored
_WARM_UP = 3  # runs before a capture, for cuDNN to choose its algorithms


class CudaGraphCache:
    """Function that is replayed from a CUDA graph for repeated input shapes.

    The graph of a shape is captured at its second call, because capturing costs as much as several runs, and memory.
    After ``limit`` captures, all other shapes run without a graph.

    Args:
        function: Function from tensors to tensors. It must not depend on tensor values on the host.
        limit: Maximum number of graphs. 0 for none.
        capture: Function from a function and its inputs to a graph, e.g. :func:`capture_cuda_graph`.
    """

    def __init__(self, function: Function, limit: int, capture: Callable[[Function, Sequence[Tensor]], Function]
                 ) -> None:
        self._function, self._limit, self._capture = function, limit, capture
        self._graphs: dict[_Shapes, Function] = {}
        self._seen: set[_Shapes] = set()
        self._full = False

    def __call__(self, *inputs: Tensor) -> Sequence[Tensor]:
        """Return the outputs in newly allocated tensors."""
        shapes = tuple((x.shape, x.stride()) for x in inputs)
        graph = self._graphs.get(shapes)
        if graph is None and self._should_capture(shapes):
            graph = self._graphs[shapes] = self._try_capture(inputs)
        return (graph or self._function)(*inputs)

    def _should_capture(self, shapes: _Shapes) -> bool:
        if len(self._graphs) >= self._limit:
            if self._limit and not self._full:
                self._full = True
                print_log(f'reached the maximum of {self._limit} CUDA graphs. Other input shapes run without a graph. '
                          'Set max_graphs to change the maximum', logger='current')
            return False
        again = shapes in self._seen
        if len(self._seen) == _MAX_SEEN:
            self._seen.clear()
        self._seen.add(shapes)
        return again

    def _try_capture(self, inputs: Sequence[Tensor]) -> Function:
        try:
            return self._capture(self._function, inputs)
        except RuntimeError as error:  # raised for CUDA errors, e.g. out of memory
            self._limit = len(self._graphs)
            self._full = True
            print_log(f'no more CUDA graphs are captured, because a capture failed: {error}', logger='current',
                      level=logging.WARNING)
            return self._function


def capture_cuda_graph(function: Function, inputs: Sequence[Tensor]) -> Function:
    """Return a function that copies its inputs into static tensors, replays the graph, and clones the outputs."""
    static = [x.clone(memory_format=torch.preserve_format) for x in inputs]
    stream = torch.cuda.Stream(inputs[0].device)
    stream.wait_stream(torch.cuda.current_stream(inputs[0].device))
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP):
            function(*static)
    torch.cuda.current_stream(inputs[0].device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(inputs[0].device), torch.cuda.graph(graph, capture_error_mode='thread_local'):
        outs = function(*static)
    lock, done = Lock(), torch.cuda.Event()

    def replay(*inputs: Tensor) -> Sequence[Tensor]:
        # calls from all threads and streams share the static tensors, so only one may run at a time
        with lock, torch.cuda.device(static[0].device):
            torch.cuda.current_stream().wait_event(done)
            for target, x in zip(static, inputs):
                target.copy_(x)
            graph.replay()
            copies = [out.clone(memory_format=torch.preserve_format) for out in outs]
            done.record()
        return copies

    return replay

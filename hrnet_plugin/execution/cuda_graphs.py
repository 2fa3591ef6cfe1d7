"""CUDA graphs: hundreds of small kernels started as one, for each shape of the input."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Lock

import torch
from mmengine.logging import print_log
from torch import Tensor

Function = Callable[..., Sequence[Tensor]]
_Shapes = tuple[tuple[torch.Size, tuple[int, ...]], ...]  # with the strides
_SEEN = 256  # shapes that are remembered
_WARM_UP = 3  # runs before a capture, in which cuDNN chooses its algorithms


class GraphBuckets:
    """``function``, replayed from a graph for shapes that come again.

    A shape gets its graph when it comes the second time: capturing takes as long as several runs, and memory of its
    own. When there are ``limit`` of them, other shapes run as they are.

    Args:
        function: Maps tensors to tensors, without looking at their values.
        limit: How many graphs there may be; 0 for none.
        capture: Makes a graph of a function and its inputs; :func:`cuda_graph`.
    """

    def __init__(self, function: Function, limit: int, capture: Callable[[Function, Sequence[Tensor]], Function]
                 ) -> None:
        self._function, self._limit, self._capture = function, limit, capture
        self._graphs: dict[_Shapes, Function] = {}
        self._seen: set[_Shapes] = set()
        self._full = False

    def __call__(self, *inputs: Tensor) -> Sequence[Tensor]:
        """What the function gives, in tensors of their own."""
        shapes = tuple((x.shape, x.stride()) for x in inputs)
        graph = self._graphs.get(shapes)
        if graph is None and self._wants(shapes):
            graph = self._graphs[shapes] = self._made(inputs)
        return (graph or self._function)(*inputs)

    def _wants(self, shapes: _Shapes) -> bool:
        if len(self._graphs) >= self._limit:
            if self._limit and not self._full:
                self._full = True
                print_log(f'there are {self._limit} CUDA graphs; other shapes run without. '
                          'max_graphs sets how many there may be', logger='current')
            return False
        again = shapes in self._seen
        if len(self._seen) == _SEEN:
            self._seen.clear()
        self._seen.add(shapes)
        return again

    def _made(self, inputs: Sequence[Tensor]) -> Function:
        try:
            return self._capture(self._function, inputs)
        except RuntimeError as error:  # what CUDA raises, also where memory is short
            self._limit = len(self._graphs)
            self._full = True
            print_log(f'no further CUDA graphs, because a capture failed: {error}', logger='current',
                      level=logging.WARNING)
            return self._function


def cuda_graph(function: Function, inputs: Sequence[Tensor]) -> Function:
    """A function that copies its inputs to where the graph reads them, replays it, and copies what it left."""
    held = [x.clone(memory_format=torch.preserve_format) for x in inputs]
    stream = torch.cuda.Stream(inputs[0].device)
    stream.wait_stream(torch.cuda.current_stream(inputs[0].device))
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP):
            function(*held)
    torch.cuda.current_stream(inputs[0].device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.device(inputs[0].device), torch.cuda.graph(graph, capture_error_mode='thread_local'):
        outs = function(*held)
    lock, done = Lock(), torch.cuda.Event()

    def replay(*fresh: Tensor) -> Sequence[Tensor]:
        # one at a time, whichever thread and stream it comes from: all write to the same tensors
        with lock, torch.cuda.device(held[0].device):
            torch.cuda.current_stream().wait_event(done)
            for target, x in zip(held, fresh):
                target.copy_(x)
            graph.replay()
            copies = [out.clone(memory_format=torch.preserve_format) for out in outs]
            done.record()
        return copies

    return replay

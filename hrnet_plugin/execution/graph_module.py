"""Graph modules whose generated source code is freed with them."""

from __future__ import annotations

import linecache
from collections.abc import Mapping
from typing import Any
from weakref import finalize

from torch import fx
from torch.fx import graph_module


def make_graph_module(attributes: Mapping[str, Any], graph: fx.Graph) -> fx.GraphModule:
    """Make a graph module.

    torch.fx stores the source of each graph module for tracebacks, and never frees it. A process that compiles again
    and again, e.g. after each training epoch, would grow.

    Args:
        attributes: Modules and tensors by the names that the graph uses.
        graph: Graph to run.
    """
    module = fx.GraphModule(dict(attributes), graph)
    finalize(module, _forget_source, module.forward.__code__.co_filename).atexit = False
    return module


def _forget_source(filename: str) -> None:
    # private, so another version of torch may lack it
    getattr(getattr(graph_module, '_loader', None), 'eval_cache', {}).pop(filename, None)
    linecache.cache.pop(filename, None)

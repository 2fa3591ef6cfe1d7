"""Graph passes for in-place operators, operator variants and unused nodes."""

from __future__ import annotations

import operator
from collections import defaultdict
from typing import TYPE_CHECKING

import torch
from torch import fx, nn
from torch.nn import functional as F

from hrnet_plugin.execution.memory_format import to_contiguous
from hrnet_plugin.execution.operators import add, add_into, relu_into
from hrnet_plugin.execution.rewriter import Rewriter, UnsupportedGraph

if TYPE_CHECKING:
    from torch.fx.node import Argument

_KNOWN_OVERWRITES = ('add_', 'relu_', F.relu_, torch.relu_)
_RELUS = (torch.relu, torch.relu_, F.relu, F.relu_)


def check_overwrites(rewriter: Rewriter) -> None:
    """Raise UnsupportedGraph if the old value of an overwritten tensor is read later."""
    nodes = list(rewriter.graph.nodes)
    order = {node: i for i, node in enumerate(nodes)}
    reads: dict[fx.Node, list[tuple[int, int]]] = defaultdict(list)
    for node in nodes:
        for source in node.all_input_nodes:
            for storage in rewriter.storages(source):
                reads[storage].append((order[source], order[node]))
    for node in filter(rewriter.is_in_place, nodes):
        if node.op != 'call_module' and node.target not in _KNOWN_OVERWRITES:
            raise UnsupportedGraph(f'{node} overwrites a tensor by an unknown operator')
        if any(made < order[node] < read for storage in rewriter.storages(node) for made, read in reads[storage]):
            raise UnsupportedGraph(f'{node.args[0]} is read after {node} has overwritten it')


def normalize(rewriter: Rewriter) -> None:
    """Replace operator variants by one out-of-place operator each, and remove identities."""
    for node in list(rewriter.graph.nodes):
        module = rewriter.module_of(node)
        method = node.target if node.op == 'call_method' else None
        if isinstance(module, (nn.Identity, nn.modules.dropout._DropoutNd)) and not module.training:
            node.replace_all_uses_with(node.args[0])
            rewriter.graph.erase_node(node)
        elif _is_relu(module) or method in ('relu', 'relu_') or node.target in _RELUS:
            rewriter.retarget(node, torch.relu, node.args[:1])
        elif method == 'contiguous' and not node.kwargs:
            rewriter.retarget(node, to_contiguous, node.args)
        elif (method in ('add', 'add_') or node.target in (operator.add, torch.add)) and (
                len(node.args) == 2 and not node.kwargs):
            rewriter.retarget(node, add, node.args)


def _is_relu(module: nn.Module | None) -> bool:
    return type(module) is nn.ReLU and 'forward' not in module.__dict__


def drop_unused(rewriter: Rewriter) -> None:
    """Remove nodes without users."""
    for node in reversed(list(rewriter.graph.nodes)):
        if not node.users and node.op not in ('placeholder', 'output'):
            rewriter.graph.erase_node(node)


def reuse_memory(rewriter: Rewriter) -> None:
    """Compute sums and ReLUs in place if their input is not read again. Copy residuals that are read again."""
    nodes = list(rewriter.graph.nodes)
    last_read = _last_reads(rewriter, nodes)
    storages = {node: rewriter.storages(node) for node in nodes}

    def is_free(value: Argument, position: int) -> bool:
        # a value that may share memory with another one is not overwritten
        return isinstance(value, fx.Node) and storages[value] == {value} and last_read[value] <= position

    for i, node in enumerate(nodes):
        if node.target in rewriter.convs and len(node.args) == 2:
            x, residual = node.args
            if not is_free(residual, i) or residual in storages[x]:
                with rewriter.graph.inserting_before(node):
                    node.args = (x, rewriter.graph.call_function(torch.clone, (residual, )))
        elif node.target in (add, torch.relu):
            free = [k for k, term in enumerate(node.args) if is_free(term, i)]
            if free and all(isinstance(term, (fx.Node, int, float)) for term in node.args):
                terms = node.args[free[0]:] + node.args[:free[0]]
                rewriter.retarget(node, add_into if node.target is add else relu_into, terms)


def _last_reads(rewriter: Rewriter, nodes: list[fx.Node]) -> dict[fx.Node, int]:
    """Return node -> last position at which its memory is read; for inputs, weights and outputs the end."""
    last = {storage: i for i, node in enumerate(nodes) for source in node.all_input_nodes
            for storage in rewriter.storages(source)}
    kept = [node for node in nodes if node.op in ('placeholder', 'get_attr')]
    kept += [storage for out in nodes[-1].all_input_nodes for storage in rewriter.storages(out)]
    return {**last, **dict.fromkeys(kept, len(nodes))}

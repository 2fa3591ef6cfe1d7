"""Graph under rewriting, with queries about its nodes for the passes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import torch
from torch import fx, nn
from torch.fx.node import map_arg
from torch.nn import functional as F

from hrnet_plugin.execution.operators import add
from hrnet_plugin.execution.packed_conv import Conv, ConvWeights

if TYPE_CHECKING:
    from torch.fx.node import Argument, Target

# operators that allocate their output; the output of any other may be a view of each argument
_FRESH_FUNCTIONS = (add, operator.add, torch.add, operator.mul, torch.relu, torch.cat, F.interpolate, F.conv2d,
                    F.avg_pool2d, F.max_pool2d)
_FRESH_MODULES = (nn.modules.conv._ConvNd, nn.modules.batchnorm._NormBase, nn.GroupNorm)
# attributes and methods that return no tensors
_NOT_TENSORS = ('shape', 'size', 'dim', 'ndim', 'numel', 'dtype', 'device')


class UnsupportedGraph(Exception):
    """Error that states why a module cannot be compiled."""


class Rewriter:
    """Graph, and the convolutions that passes have collected from it.

    Attributes:
        graph: Graph. Passes change it in place.
        convs: Target of the node -> weights, for collected convolutions. Such a node has the arguments ``(x, )`` or
            ``(x, residual)``, and ``relu=True`` if it applies ReLU. It may overwrite the residual.
    """

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        self._module, self.graph = module, graph
        self.convs: dict[Target, ConvWeights] = {}

    def retarget(self, node: fx.Node, target: Target, args: Sequence[Argument], op: str = 'call_function') -> None:
        """Change operator and arguments of a node."""
        node.op, node.target, node.args, node.kwargs = op, target, tuple(args), {}

    def module_of(self, node: fx.Node) -> nn.Module | None:
        """Return the module that a node calls, or None for other nodes and for collected convolutions."""
        is_module = node.op == 'call_module' and node.target not in self.convs
        return self._module.get_submodule(str(node.target)) if is_module else None

    def constant(self, node: Argument) -> Any:
        """Evaluate an argument that depends on parameters and buffers only.

        Raises:
            UnsupportedGraph: If it depends on an input.
        """
        if not isinstance(node, fx.Node):
            return node
        if node.op == 'get_attr':
            return self._attribute(str(node.target))
        if node.op not in ('call_function', 'call_method'):
            raise UnsupportedGraph(f'{node} is not constant')
        first, *args = map_arg(node.args, self.constant)
        kwargs, target = map_arg(node.kwargs, self.constant), node.target
        function = getattr(first, target) if isinstance(target, str) else partial(target, first)
        return function(*args, **kwargs)

    def is_bare_conv(self, node: Argument) -> TypeGuard[fx.Node]:
        """Return True if a node is a collected convolution with one user and without a residual."""
        return isinstance(node, fx.Node) and node.target in self.convs and len(node.args) == 1 and len(node.users) == 1

    def is_in_place(self, node: fx.Node) -> bool:
        """Return True if a node overwrites its first argument."""
        if node.op == 'call_method':
            return str(node.target).endswith('_') and not str(node.target).endswith('__')
        return (node.target in (F.relu_, torch.relu_, operator.setitem, operator.iadd)
                or bool(node.kwargs.get('inplace') or getattr(self.module_of(node), 'inplace', False)))

    def storages(self, node: fx.Node) -> frozenset[fx.Node]:
        """Return the nodes whose output may share memory with that of ``node``. Empty for values other than tensors."""
        module = self.module_of(node)
        if self.is_in_place(node):
            return self.storages(node.all_input_nodes[0])
        if (node.op == 'call_method' and node.target in _NOT_TENSORS) or (
                node.target is getattr and node.args[1] in _NOT_TENSORS):
            return frozenset()
        is_fresh = node.target in self.convs or node.target in _FRESH_FUNCTIONS or isinstance(module, _FRESH_MODULES)
        if is_fresh or node.op in ('placeholder', 'get_attr'):
            return frozenset([node])
        return frozenset().union(*map(self.storages, node.all_input_nodes))

    def add_conv(self, node: fx.Node, weights: ConvWeights) -> None:
        """Register a node as a collected convolution."""
        name = f'collected_conv_{len(self.convs)}'
        while hasattr(self._module, name):
            name += '_'
        self.convs[name] = weights
        self.retarget(node, name, node.args[:1], op='call_module')

    def attributes(self, make_conv: Callable[[ConvWeights], Conv]) -> dict[str, Any]:
        """Return name -> module or tensor for all names that the graph uses.

        Args:
            make_conv: Function that prepares a collected convolution.
        """
        names = {node.target for node in self.graph.nodes if node.op in ('call_module', 'get_attr')}
        others = {str(name): self._attribute(str(name)) for name in names.difference(self.convs)}
        return {**others, **{name: make_conv(self.convs[name]) for name in names.intersection(self.convs)}}

    def _attribute(self, name: str) -> Any:
        attribute = operator.attrgetter(name)(self._module)
        if getattr(attribute, 'inplace', False):  # after rewriting, other nodes may read its argument later
            attribute = copy(attribute)
            attribute.inplace = False
        return attribute

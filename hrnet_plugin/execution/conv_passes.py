"""Graph passes for convolutions and the operators that can be fused with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import fx
from torch.nn import functional as F

from hrnet_plugin.execution.folding import fold, is_frozen_batch_norm
from hrnet_plugin.execution.operators import add
from hrnet_plugin.execution.packed_conv import ConvWeights
from hrnet_plugin.execution.rewriter import Rewriter, UnsupportedGraph
from hrnet_plugin.models.layers.module_checks import is_plain_conv

if TYPE_CHECKING:
    from torch.fx.node import Argument


def collect_convs(rewriter: Rewriter) -> None:
    """Collect convolutions with constant weights."""
    for node in rewriter.graph.nodes:
        weights = _weights(rewriter, node)
        if weights is not None:
            rewriter.add_conv(node, weights)


def interpolate_first(rewriter: Rewriter) -> None:
    """Merge the sum of a 1x1 conv and interpolated 1x1 convs into one conv of concatenated inputs.

    A 1x1 conv commutes with interpolation. If it has more output than input channels, interpolating its input needs
    less memory bandwidth.
    """
    for node in list(rewriter.graph.nodes):
        terms: tuple[Argument, ...] = node.args if node.target is add else ()
        for total, term in (terms, terms[::-1]) if terms else ():
            if not isinstance(term, fx.Node) or term.target is not F.interpolate:
                continue
            inner = term.args[0]
            if not (_is_pointwise(total, rewriter) and _is_pointwise(inner, rewriter)):
                continue
            first, second = rewriter.convs[total.target], rewriter.convs[inner.target]
            if second.bias is None and second.weight.size(1) < second.weight.size(0):
                _join(rewriter, node, total, inner, term)
                rewriter.convs[total.target] = replace(first, weight=torch.cat([first.weight, second.weight], dim=1))
                break


def _join(rewriter: Rewriter, node: fx.Node, total: fx.Node, inner: fx.Node, term: fx.Node) -> None:
    """Make ``node`` a conv of two concatenated inputs: that of ``total``, and that of ``inner`` after interpolation."""
    with rewriter.graph.inserting_before(node):
        finer = rewriter.graph.call_function(F.interpolate, (inner.args[0], *term.args[1:]), term.kwargs)
        joint = rewriter.graph.call_function(torch.cat, ([*_joined(total.args[0]), finer], ), dict(dim=1))
    rewriter.retarget(node, total.target, (joint, ), op='call_module')


def _joined(source: Argument) -> Sequence[Argument]:
    """Return the arguments of a ``torch.cat`` with one user, or a list of the value itself."""
    if isinstance(source, fx.Node) and source.target is torch.cat and source.kwargs == dict(dim=1):
        parts = source.args[0]
        if len(source.users) == 1 and isinstance(parts, Sequence):
            return parts
    return [source]


def fold_norms(rewriter: Rewriter) -> None:
    """Fold frozen batch norms into the preceding convolutions."""
    for node in list(rewriter.graph.nodes):
        norm = rewriter.module_of(node)
        if norm is None or not is_frozen_batch_norm(norm):
            continue
        conv = node.args[0]
        if rewriter.is_bare_conv(conv):
            weights = rewriter.convs[conv.target]
            weight, bias = fold(weights.weight, weights.bias, norm)
            rewriter.convs[conv.target] = replace(weights, weight=weight, bias=bias)
            node.replace_all_uses_with(conv)
            rewriter.graph.erase_node(node)


def fuse_adds(rewriter: Rewriter) -> None:
    """Fuse additions into a convolution: the later one if both terms are convolutions."""
    order: dict[Argument, int] = {node: i for i, node in enumerate(rewriter.graph.nodes)}
    for node in filter(lambda node: node.target is add, list(rewriter.graph.nodes)):
        pairs = (node.args, node.args[::-1])
        for conv, other in sorted(pairs, key=lambda pair: -order.get(pair[0], -1)):
            if rewriter.is_bare_conv(conv) and other is not conv and _is_tensor(other, rewriter):
                rewriter.retarget(node, conv.target, (conv.args[0], other), op='call_module')
                rewriter.graph.erase_node(conv)
                break


def fuse_relus(rewriter: Rewriter) -> None:
    """Fuse ReLUs into the preceding convolutions."""
    for node in filter(lambda node: node.target is torch.relu, list(rewriter.graph.nodes)):
        conv = node.args[0]
        if isinstance(conv, fx.Node) and conv.target in rewriter.convs and len(conv.users) == 1:
            conv.kwargs = dict(relu=True)
            node.replace_all_uses_with(conv)
            rewriter.graph.erase_node(node)


def _weights(rewriter: Rewriter, node: fx.Node) -> ConvWeights | None:
    conv = rewriter.module_of(node)
    if conv is not None:
        return ConvWeights.of(conv) if is_plain_conv(conv) and not isinstance(conv.padding, str) else None
    if node.target is not F.conv2d or node.kwargs or not 2 <= len(node.args) <= 3:
        return None
    try:
        weight, *bias = map(rewriter.constant, node.args[1:])
    except UnsupportedGraph:
        return None
    return ConvWeights(weight, bias[0] if bias else None)


def _is_tensor(value: Argument, rewriter: Rewriter) -> bool:
    return isinstance(value, fx.Node) and bool(rewriter.storages(value))


def _is_pointwise(node: Argument, rewriter: Rewriter) -> TypeGuard[fx.Node]:
    if not rewriter.is_bare_conv(node):
        return False
    conv = rewriter.convs[node.target]
    return (conv.weight.shape[2:] == (1, 1) and conv.groups == 1 and tuple(conv.stride) == (1, 1)
            and tuple(conv.padding) == (0, 0))

"""Inference graphs in place of the networks of a model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from typing import Any

from torch import Tensor, fx, nn
from torch.nn import functional as F

from hrnet_plugin.execution.graph import trace
from hrnet_plugin.execution.inference import restore_eager
from hrnet_plugin.execution.onnx_export import make_exportable
from hrnet_plugin.execution.rewriter import UnsupportedGraph
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.layers.optimizable import Optimizable


class ExportableNetwork(nn.Module):
    """Inference graph with the inputs and outputs of a backbone or neck.

    Args:
        graph: Graph with one argument per feature map.
    """

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__()
        self.graph = graph

    def forward(self, inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            inputs: Images or feature maps, shape (N, C, H, W) each.
        """
        outs = self.graph(inputs) if isinstance(inputs, Tensor) else self.graph(*inputs)
        return (outs, ) if isinstance(outs, Tensor) else tuple(outs)


class ExportableMerge(nn.Module):
    """Inference graph with the inputs and the output of a :class:`MergeConv`.

    Args:
        graph: Graph with one argument per feature map.
        plain_convs: Attribute of the module that is replaced.
    """

    def __init__(self, graph: fx.GraphModule, plain_convs: bool) -> None:
        super().__init__()
        self.graph, self.plain_convs = graph, plain_convs

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, out_channels, H, W)``."""
        (out, ) = self.graph(*inputs)
        merged: Tensor = out
        return merged


class ExportableUpsample(nn.Module):
    """Interpolation of mmseg's ``Upsample`` by a whole factor. The original converts sizes to constants in traces.

    Args:
        scale: Factor of height and width.
        mode: Mode of the interpolation.
        align_corners: Alignment of the interpolation.
    """

    def __init__(self, scale: int, *, mode: str, align_corners: bool | None) -> None:
        super().__init__()
        self.scale, self.mode, self.align_corners = scale, mode, align_corners

    def forward(self, x: Tensor) -> Tensor:
        """Interpolate feature maps of shape (N, C, H, W)."""
        size: Any = [side * self.scale for side in x.shape[-2:]]
        return F.interpolate(x, size, mode=self.mode, align_corners=self.align_corners)


def rewrite_networks(model: nn.Module) -> nn.Module:
    """Return a copy of a model whose backbone and neck are inference graphs, where that is possible.

    Networks of the hosts keep their modules, except those that cannot be traced for all sizes.

    Args:
        model: Model of a host in eval mode.
    """
    model = restore_eager(deepcopy(model))
    _rewrite_children(model)
    return model


def _rewrite_children(model: nn.Module) -> None:
    for name, child in model.named_children():
        if isinstance(child, Optimizable):
            with suppress(UnsupportedGraph):  # the eager module is exported
                graph = make_exportable(child, trace(child))
                setattr(model, name, ExportableMerge(graph, child.plain_convs) if isinstance(child, MergeConv)
                        else ExportableNetwork(graph))
        elif _is_upsample_of_mmseg(child):
            upsample: Any = child
            setattr(model, name, ExportableUpsample(int(upsample.scale_factor), mode=upsample.mode,
                                                    align_corners=upsample.align_corners))
        else:
            _rewrite_children(child)


def _is_upsample_of_mmseg(module: Any) -> bool:
    """Return True for mmseg's ``Upsample`` by a whole factor."""
    kind = type(module)
    return (kind.__name__ == 'Upsample' and kind.__module__.startswith('mmseg.') and not module.size
            and isinstance(module.scale_factor, float) and module.scale_factor.is_integer())

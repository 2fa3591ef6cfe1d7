"""Transitions between stages, which add branches of lower resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm

_Map = TypeVar('_Map')


class Transition(nn.ModuleList):
    """Transition to the next stage, which adds branches with stride-2 3x3 convolutions.

    In arXiv 1908.07919, section 3.1, all streams contribute to a new one. This class follows the official code, which
    uses the lowest resolution only. The published networks add one branch per transition. If several are added, each
    has separate convolutions, of which the last one changes the width.

    Args:
        in_channels: Channels of the branches of the previous stage, finest first.
        out_channels: Channels of the branches of the next stage, finest first.
        layers: Configuration of the layers.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int], layers: LayerConfig) -> None:
        lowest = in_channels[-1]
        existing = [
            nn.Identity() if before == after else conv_norm(layers, before, after, 3, relu=True)
            for before, after in zip(in_channels, out_channels)
        ]
        added = [nn.Sequential(
            *(conv_norm(layers, lowest, lowest, 3, stride=2, relu=True) for _ in range(halvings - 1)),
            conv_norm(layers, lowest, width, 3, stride=2, relu=True))
            for halvings, width in enumerate(out_channels[len(in_channels):], 1)]
        super().__init__([*existing, *added])

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the branches of the next stage."""
        return [path(x) for path, x in zip(self, transition_inputs(feats, len(self)))]


def transition_inputs(feats: Sequence[_Map], num_outs: int) -> list[_Map]:
    """Return the input of each of ``num_outs`` branches: the same branch of the previous stage, or the lowest one."""
    return [feats[min(b, len(feats) - 1)] for b in range(num_outs)]

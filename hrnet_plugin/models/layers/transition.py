"""Transitions between two stages, which open new resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm

_Map = TypeVar('_Map')


class Transition(nn.ModuleList):
    """Pass on the resolutions there are, and open new ones from the lowest by stride-2 3x3 convolutions.

    The formula of arXiv 1908.07919, section 3.1, sums all streams into a new one; the official code, followed here,
    takes it from the lowest only. Published networks open one at a time. Where more are opened at once, each has
    convolutions of its own, of which the last one changes the width.

    Args:
        in_channels: Channels of the resolutions there are, finest first.
        out_channels: Channels of the resolutions of the next stage.
        layers: How its layers are built.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int], layers: LayerConfig) -> None:
        lowest = in_channels[-1]
        kept = [
            nn.Identity() if before == after else conv_norm(layers, before, after, 3, relu=True)
            for before, after in zip(in_channels, out_channels)
        ]
        opened = [nn.Sequential(
            *(conv_norm(layers, lowest, lowest, 3, stride=2, relu=True) for _ in range(halvings - 1)),
            conv_norm(layers, lowest, width, 3, stride=2, relu=True))
            for halvings, width in enumerate(out_channels[len(in_channels):], 1)]
        super().__init__([*kept, *opened])

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to as many as the next stage has."""
        return [path(x) for path, x in zip(self, sources(feats, len(self)))]


def sources(feats: Sequence[_Map], num_outs: int) -> list[_Map]:
    """What each of the next stage's maps is made of: the one of its resolution, or the lowest there is."""
    return [feats[min(b, len(feats) - 1)] for b in range(num_outs)]

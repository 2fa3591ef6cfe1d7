"""Between two stages: the next resolution is opened."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm


class Transition(nn.ModuleList):
    """Pass on the resolutions there are, and open one more from the lowest by a stride-2 3x3 convolution.

    The formula of arXiv 1908.07919, section 3.1, sums all streams into the new one; the official code, followed here,
    takes it from the lowest only.

    Args:
        in_channels: Channels of the resolutions there are, finest first.
        out_channels: Channels of the resolutions of the next stage, one more.
        layers: How its layers are built.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: Sequence[int], layers: LayerConfig) -> None:
        kept = [
            nn.Identity() if before == after else conv_norm(layers, before, after, 3, relu=True)
            for before, after in zip(in_channels, out_channels)
        ]
        # The inner Sequential is one step of the official chain of halvings, which is always one long.
        opened = nn.Sequential(conv_norm(layers, in_channels[-1], out_channels[-1], 3, stride=2, relu=True))
        super().__init__([*kept, opened])

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map B maps ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to B + 1."""
        return [path(x) for path, x in zip(self, (*feats, feats[-1]))]

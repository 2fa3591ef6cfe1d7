"""Multi-resolution fusion: every resolution adds every other one (arXiv 1908.07919, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig
from hrnet_plugin.models.layers.fusion_config import FusionConfig
from hrnet_plugin.models.layers.fusion_rows import row_class


class MultiResolutionFusion(nn.ModuleList):
    """A fusion unit, or its first ``num_outs`` rows; ``self[i][j]`` is the path from resolution ``j`` to ``i``."""

    def __init__(self, channels: Sequence[int], num_outs: int, fusion: FusionConfig, layers: LayerConfig) -> None:
        row = row_class(fusion)
        super().__init__(row(channels, i, fusion, layers) for i in range(num_outs))

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the first ``num_outs`` of the same shapes."""
        return [row(feats) for row in self]

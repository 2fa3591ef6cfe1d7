"""The HRNet module: convolve each resolution by itself, then let every resolution add every other one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from hrnet_plugin.models.layers.blocks import residual_branch
from hrnet_plugin.models.layers.conv import LayerConfig
from hrnet_plugin.models.layers.fusion import MultiResolutionFusion
from hrnet_plugin.models.layers.fusion_config import FusionConfig

if TYPE_CHECKING:
    from hrnet_plugin.models.arch import StageSpec


class ParallelBranches(ModuleList):
    """One branch of residual blocks for each resolution."""

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map each ``(N, C_b, H / 2**b, W / 2**b)`` to a map of the same shape."""
        return [branch(x) for branch, x in zip(self, feats)]


class HRModule(BaseModule):
    """Parallel branches, then multi-resolution fusion.

    Args:
        stage: Widths and depths of the branches.
        num_outs: Number of resolutions that come out of the fusion, from the finest; the others' is not built.
        fusion: How the fusion unit is built; None for none, as in networks that fuse less often.
        layers: How all layers are built.
    """

    def __init__(self, stage: StageSpec, num_outs: int, fusion: FusionConfig | None, layers: LayerConfig) -> None:
        super().__init__()
        self.branches = ParallelBranches(
            residual_branch(stage.block, in_channels, width, depth, layers)
            for in_channels, width, depth in zip(stage.out_channels, stage.num_channels, stage.num_blocks))
        self.fuse_layers = nn.Identity() if fusion is None else MultiResolutionFusion(
            stage.out_channels, num_outs, fusion, layers)

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the first ``num_outs`` of the same shapes."""
        return self.fuse_layers(self.branches(feats))

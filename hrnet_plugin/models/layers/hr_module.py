"""HRNet module: parallel branches of residual blocks, then multi-resolution fusion."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from hrnet_plugin.arch import StageSpec
from hrnet_plugin.models.layers.blocks import residual_branch
from hrnet_plugin.models.layers.conv import LayerConfig
from hrnet_plugin.models.layers.fusion import FusionConfig, MultiResolutionFusion, NoFusion


class ParallelBranches(ModuleList):
    """Parallel branches of residual blocks, one per resolution."""

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map each ``(N, C_b, H / 2**b, W / 2**b)`` to a feature map of the same shape."""
        return [branch(x) for branch, x in zip(self, feats)]


class HRModule(BaseModule):
    """Parallel branches, then multi-resolution fusion and ReLU.

    Args:
        stage: Widths and depths of the branches.
        out_indices: Branches with an output, in ascending order. Fusion paths to the others are not built.
        fusion: Configuration of the fusion unit, or None for a module without fusion.
        layers: Configuration of all layers.
    """

    def __init__(self, stage: StageSpec, out_indices: Sequence[int], fusion: FusionConfig | None,
                 layers: LayerConfig) -> None:
        super().__init__()
        self.in_channels = list(stage.out_channels)
        self.num_branches = stage.num_branches
        self.multiscale_output = len(out_indices) == stage.num_branches
        self.branches = ParallelBranches(
            residual_branch(stage.block, in_channels, width, depth, layers)
            for in_channels, width, depth in zip(stage.out_channels, stage.num_channels, stage.num_blocks))
        self.fuse_layers = NoFusion() if fusion is None else MultiResolutionFusion(
            stage.out_channels, out_indices, fusion, layers)
        self.relu = nn.Identity() if fusion is None else nn.ReLU(inplace=True)

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the same shapes of the branches ``out_indices``."""
        return [self.relu(x) for x in self.fuse_layers(self.branches(feats))]

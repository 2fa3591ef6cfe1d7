"""Multi-resolution fusion: every resolution adds every other one (arXiv 1908.07919, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.upsample import Upsampling, double_nearest, upsample_bilinear


def coarser_path(layers: LayerConfig, in_channels: int, out_channels: int) -> nn.Sequential:
    """From a coarser map: the 1x1 convolution and norm that come before upsampling."""
    return conv_norm(layers, in_channels, out_channels, 1)


def finer_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """From a finer map: stride-2 3x3 convolutions, a ReLU after each but the last, which changes the width."""
    steps = [conv_norm(layers, in_channels, in_channels, 3, stride=2, relu=True) for _ in range(halvings - 1)]
    return nn.Sequential(*steps, conv_norm(layers, in_channels, out_channels, 3, stride=2))


class FusionRow(nn.ModuleList):
    """All paths into one resolution: ``self[j]`` comes from resolution ``j`` and is the identity from the own one.

    Subclasses say how the maps of coarser resolutions are summed.

    Args:
        channels: Channels of all resolutions, finest first.
        resolution: Which of them this row computes.
        layers: How its layers are built.
    """

    def __init__(self, channels: Sequence[int], resolution: int, layers: LayerConfig) -> None:
        own = channels[resolution]
        super().__init__([
            *(finer_path(layers, width, own, resolution - j) for j, width in enumerate(channels[:resolution])),
            nn.Identity(),
            *(coarser_path(layers, width, own) for width in channels[resolution + 1:])
        ])
        self.resolution = resolution

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Sum the maps ``(N, C_j, H / 2**j, W / 2**j)`` of all resolutions at this row's own, and apply ReLU."""
        # Each term but the own map is fresh, so the sum is taken in place; the inputs stay as they are.
        terms = [self[j](feats[j]) for j in range(self.resolution)]
        if self.resolution < len(self) - 1:
            terms.insert(0, self.sum_coarser(feats, self))
        total, *rest = terms
        for term in (*rest, feats[self.resolution]):
            total = total.add_(term)
        return F.relu_(total)

    def sum_coarser(self, feats: Sequence[Tensor], paths: Any) -> Tensor:
        """Sum of the coarser maps, convolved and upsampled to this row's resolution, as a tensor of its own.

        Args:
            feats: Maps of all resolutions.
            paths: This row's own paths, or equals of them: by a resolution's index, what gives that map convolved when
                it is called, and adds it to another by ``add_to``.
        """
        raise NotImplementedError


class NearestRow(FusionRow):
    """Nearest interpolation composes exactly, so the sum climbs from coarse to fine, each map upsampled by two once."""

    def sum_coarser(self, feats: Sequence[Tensor], paths: Any) -> Tensor:
        coarsest = len(self) - 1
        total = paths[coarsest](feats[coarsest])
        for j in range(coarsest - 1, self.resolution, -1):
            total = paths[j].add_to(double_nearest(total, feats[j].shape[-2:]), feats[j])
        return double_nearest(total, feats[self.resolution].shape[-2:])


class BilinearRow(FusionRow):
    """Bilinear interpolation does not compose: each coarser map is brought to the target size in one step."""

    align_corners = False

    def sum_coarser(self, feats: Sequence[Tensor], paths: Any) -> Tensor:
        size = feats[self.resolution].shape[-2:]
        terms = (upsample_bilinear(paths[j](feats[j]), size, self.align_corners)
                 for j in range(self.resolution + 1, len(self)))
        total = next(terms)
        for term in terms:
            total = total.add_(term)
        return total


class AlignedBilinearRow(BilinearRow):
    """Bilinear interpolation with ``align_corners=True``, of the official OCR networks."""

    align_corners = True


_ROWS: dict[Upsampling, type[FusionRow]] = {
    Upsampling('nearest'): NearestRow,
    Upsampling('bilinear'): BilinearRow,
    Upsampling('bilinear', align_corners=True): AlignedBilinearRow,
}


class MultiResolutionFusion(nn.ModuleList):
    """The first ``num_outs`` rows of fusion; ``self[i][j]`` is the path from resolution ``j`` to ``i``."""

    def __init__(self, channels: Sequence[int], num_outs: int, upsampling: Upsampling, layers: LayerConfig) -> None:
        super().__init__(_ROWS[upsampling](channels, i, layers) for i in range(num_outs))

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the first ``num_outs`` of the same shapes."""
        return [row(feats) for row in self]

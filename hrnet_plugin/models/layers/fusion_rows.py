"""The rows of a fusion unit: all maps into one resolution (arXiv 1908.07919, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.downsample import BilinearDownsampling
from hrnet_plugin.models.layers.fusion_config import FusionConfig
from hrnet_plugin.models.layers.upsample import Upsampling, double_nearest, upsample, upsample_bilinear


def coarser_path(layers: LayerConfig, in_channels: int, out_channels: int) -> nn.Sequential:
    """From a coarser map: the 1x1 convolution and norm that come before upsampling."""
    return conv_norm(layers, in_channels, out_channels, 1)


def strided_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """From a finer map: stride-2 3x3 convolutions, a ReLU after each but the last, which changes the width."""
    steps = [conv_norm(layers, in_channels, in_channels, 3, stride=2, relu=True) for _ in range(halvings - 1)]
    return nn.Sequential(*steps, conv_norm(layers, in_channels, out_channels, 3, stride=2))


def bilinear_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """From a finer map: interpolation, then the 1x1 convolution and norm without which the widths would differ."""
    return nn.Sequential(BilinearDownsampling(halvings), conv_norm(layers, in_channels, out_channels, 1))


_FINER_PATHS: dict[str, Callable[[LayerConfig, int, int, int], nn.Sequential]] = {
    'strided': strided_path, 'bilinear': bilinear_path}


class FusionRow(nn.ModuleList):
    """All paths into one resolution: ``self[j]`` comes from resolution ``j`` and is the identity from the own one.

    Subclasses say how the maps are combined.

    Args:
        channels: Channels of all resolutions, finest first.
        resolution: Which of them this row computes.
        fusion: How it is built.
        layers: How its layers are built.
    """

    def __init__(self, channels: Sequence[int], resolution: int, fusion: FusionConfig, layers: LayerConfig) -> None:
        own = channels[resolution]
        finer_path = _FINER_PATHS[fusion.downsampling]
        super().__init__([
            *(finer_path(layers, width, own, resolution - j) for j, width in enumerate(channels[:resolution])),
            nn.Identity(),
            *(coarser_path(layers, width, own) for width in channels[resolution + 1:])
        ])
        self.resolution = resolution

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Combine the maps ``(N, C_j, H / 2**j, W / 2**j)`` of all resolutions at this row's own, and apply ReLU."""
        raise NotImplementedError


class SumRow(FusionRow):
    """The sum of all maps. Subclasses say how those of coarser resolutions are summed."""

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """As :meth:`FusionRow.forward`."""
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


class NearestRow(SumRow):
    """Nearest interpolation composes exactly, so the sum climbs from coarse to fine, each map upsampled by two once."""

    def sum_coarser(self, feats: Sequence[Tensor], paths: Any) -> Tensor:
        coarsest = len(self) - 1
        total = paths[coarsest](feats[coarsest])
        for j in range(coarsest - 1, self.resolution, -1):
            total = paths[j].add_to(double_nearest(total, feats[j].shape[-2:]), feats[j])
        return double_nearest(total, feats[self.resolution].shape[-2:])


class BilinearRow(SumRow):
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


class ProductRow(FusionRow):
    """The product of all maps, an alternative to the sum that the paper's section 7 examines."""

    def __init__(self, channels: Sequence[int], resolution: int, fusion: FusionConfig, layers: LayerConfig) -> None:
        super().__init__(channels, resolution, fusion, layers)
        self.upsampling = fusion.upsampling

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """As :meth:`FusionRow.forward`."""
        # a factor is needed for the others' gradients, so the product cannot be taken in place as the sum is
        total = feats[self.resolution]
        for j, path in enumerate(self):
            if j == self.resolution:
                continue
            factor = path(feats[j])
            if j > self.resolution:
                sizes = [x.shape[-2:] for x in feats[self.resolution:j]]
                factor = upsample(factor, sizes[::-1], self.upsampling)
            total = total * factor
        return F.relu_(total)


SUM_ROWS: dict[Upsampling, type[SumRow]] = {
    Upsampling('nearest'): NearestRow,
    Upsampling('bilinear'): BilinearRow,
    Upsampling('bilinear', align_corners=True): AlignedBilinearRow,
}


def row_class(fusion: FusionConfig) -> type[FusionRow]:
    """What the rows of a fusion unit are."""
    return ProductRow if fusion.operator == 'product' else SUM_ROWS[fusion.upsampling]

"""Multi-resolution fusion: every resolution adds every other one (arXiv 1908.07919, sections 3.2 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.checks import check_choice
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.upsample import Upsampling, double_nearest, upsample_bilinear

# which modules of a network end in a fusion unit: the last of all, the last of each stage, or all (section 7)
FUSED_MODULES = ('final', 'across-stage', 'all')


def is_fused(fused_modules: str, is_last_module: bool, is_last_stage: bool) -> bool:
    """Return True if a module ends in a fusion unit, by one of ``FUSED_MODULES`` and its place in its stage."""
    return fused_modules == 'all' or (is_last_module and (is_last_stage or fused_modules == 'across-stage'))


@dataclass(frozen=True)
class FusionConfig:
    """Configuration of a fusion unit.

    Args:
        upsampling: Interpolation of coarser feature maps to a finer resolution.
        operator: Combination of the feature maps of all resolutions: 'sum' or 'product'.
        downsampling: Path from a finer to a coarser resolution: 'strided' convolutions or 'bilinear' interpolation.
    """
    upsampling: Upsampling
    operator: str = 'sum'
    downsampling: str = 'strided'

    def __post_init__(self) -> None:
        check_choice('fusion_operator', self.operator, ('sum', 'product'))
        check_choice('downsample', self.downsampling, ('strided', 'bilinear'))


class BilinearDownsampling(nn.Module):
    """Bilinear interpolation, in one step, to the size that ``halvings`` convolutions of stride 2 give.

    Args:
        halvings: How many times the size is halved, rounding up.
    """

    def __init__(self, halvings: int) -> None:
        super().__init__()
        self.halvings = halvings

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, ceil(H / 2**halvings), ceil(W / 2**halvings))``."""
        step = 2**self.halvings
        size = [(length + step - 1) // step for length in (x.size(2), x.size(3))]
        return F.interpolate(x, size=size, mode='bilinear', align_corners=False)

    def extra_repr(self) -> str:
        return f'halvings={self.halvings}'


def coarser_path(layers: LayerConfig, in_channels: int, out_channels: int) -> nn.Sequential:
    """Build the path from a coarser feature map: the 1x1 convolution and norm before upsampling."""
    return conv_norm(layers, in_channels, out_channels, 1)


def strided_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """Build the path from a finer feature map: stride-2 3x3 convolutions, a ReLU after each but the last."""
    steps = [conv_norm(layers, in_channels, in_channels, 3, stride=2, relu=True) for _ in range(halvings - 1)]
    return nn.Sequential(*steps, conv_norm(layers, in_channels, out_channels, 3, stride=2))


def bilinear_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """Build the path from a finer feature map: interpolation, then 1x1 convolution and norm to the other width."""
    return nn.Sequential(BilinearDownsampling(halvings), conv_norm(layers, in_channels, out_channels, 1))


_FINER_PATHS: dict[str, Callable[[LayerConfig, int, int, int], nn.Sequential]] = {
    'strided': strided_path, 'bilinear': bilinear_path}


class FusionRow(nn.ModuleList):
    """All paths into one resolution: ``self[j]`` comes from resolution ``j`` and is the identity from its own.

    Args:
        channels: Channels of all resolutions, finest first.
        resolution: Index of the resolution that this row computes.
        fusion: Configuration of the fusion unit.
        layers: Configuration of its layers.
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
        self.upsampling = fusion.upsampling

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Combine the feature maps ``(N, C_j, H / 2**j, W / 2**j)`` of all resolutions at this row's own."""
        raise NotImplementedError

    def upsampled(self, x: Tensor, feats: Sequence[Tensor], resolution: int) -> Tensor:
        """Interpolate ``x`` from a coarser ``resolution`` to this row's own."""
        if self.upsampling.mode == 'bilinear':
            return upsample_bilinear(x, feats[self.resolution].shape[-2:], self.upsampling.align_corners)
        for j in range(resolution - 1, self.resolution - 1, -1):
            x = double_nearest(x, feats[j].shape[-2:])
        return x


class SumRow(FusionRow):
    """Sum of all feature maps. Sums are taken in place in new tensors; the inputs stay as they are."""

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """As :meth:`FusionRow.forward`."""
        total, coarser = feats[self.resolution], self.coarser_sum(feats)
        if coarser is not None:
            total = coarser.add_(total)
        for j in range(self.resolution):
            total = self[j](feats[j]).add_(total)
        return total

    def coarser_sum(self, feats: Sequence[Tensor]) -> Tensor | None:
        """Sum the coarser feature maps, each convolved and interpolated to this row's own resolution."""
        total = None
        for j in range(self.resolution + 1, len(self)):
            term = self.upsampled(self[j](feats[j]), feats, j)
            total = term if total is None else total.add_(term)
        return total


class NearestSumRow(SumRow):
    """Sum of all feature maps, with nearest interpolation.

    Nearest interpolation composes exactly. So the sum climbs from coarse to fine and is interpolated by two each time.
    """

    def coarser_sum(self, feats: Sequence[Tensor]) -> Tensor | None:
        """As :meth:`SumRow.coarser_sum`."""
        total = None
        for j in range(len(self) - 1, self.resolution, -1):
            term = self[j](feats[j])
            total = double_nearest(term if total is None else term.add_(total), feats[j - 1].shape[-2:])
        return total


class ProductRow(FusionRow):
    """Product of all feature maps, an alternative to the sum that the paper's section 7 examines."""

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """As :meth:`FusionRow.forward`."""
        # a factor is needed for the others' gradients, so the product cannot be taken in place as the sum is
        total = feats[self.resolution]
        for j, path in enumerate(self):
            if j != self.resolution:
                factor = path(feats[j])
                total = total * (self.upsampled(factor, feats, j) if j > self.resolution else factor)
        return total


def row_class(fusion: FusionConfig) -> type[FusionRow]:
    """Return the class of a fusion unit's rows."""
    if fusion.operator == 'product':
        return ProductRow
    return NearestSumRow if fusion.upsampling.mode == 'nearest' else SumRow


class NoFusion(nn.Identity):
    """Absence of a fusion unit. torch.fx, unlike with ``nn.Identity``, sees that the list is passed on."""


class MultiResolutionFusion(nn.ModuleList):
    """Fusion unit, or its first ``num_outs`` rows; ``self[i][j]`` is the path from resolution ``j`` to ``i``."""

    def __init__(self, channels: Sequence[int], num_outs: int, fusion: FusionConfig, layers: LayerConfig) -> None:
        row = row_class(fusion)
        super().__init__(row(channels, i, fusion, layers) for i in range(num_outs))

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the first ``num_outs`` of the same shapes."""
        return [row(feats) for row in self]

"""Multi-resolution fusion: exchange between all branches (arXiv 1908.07919, sections 3.2 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.checks import check_choice
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.upsample import Upsampling, upsample_bilinear, upsample_nearest_2x

# modules that end in a fusion unit: the last one, the last one of each stage, or all (section 7)
FUSED_MODULES = ('final', 'across-stage', 'all')


def is_fused(fused_modules: str, is_last_module: bool, is_last_stage: bool) -> bool:
    """Return True if a module ends in a fusion unit. ``fused_modules`` is one of ``FUSED_MODULES``."""
    return fused_modules == 'all' or (is_last_module and (is_last_stage or fused_modules == 'across-stage'))


@dataclass(frozen=True)
class FusionConfig:
    """Configuration of a fusion unit.

    Args:
        upsampling: Interpolation of coarser feature maps to a finer resolution.
        operator: Combination of the feature maps of all branches: 'sum' or 'product'.
        downsampling: Path from a finer to a coarser branch: 'strided' convolutions or 'bilinear' interpolation.
    """
    upsampling: Upsampling
    operator: str = 'sum'
    downsampling: str = 'strided'

    def __post_init__(self) -> None:
        check_choice('fusion_operator', self.operator, ('sum', 'product'))
        check_choice('downsample', self.downsampling, ('strided', 'bilinear'))


class BilinearDownsampling(nn.Module):
    """Bilinear interpolation, in one step, to the output size of ``halvings`` convolutions of stride 2.

    Args:
        halvings: Number of times to halve the size, rounding up.
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
    """Build the path from a coarser branch: 1x1 convolution and norm, applied before upsampling."""
    return conv_norm(layers, in_channels, out_channels, 1)


def strided_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """Build the path from a finer branch: stride-2 3x3 convolutions with norms, and a ReLU after all but the last."""
    steps = [conv_norm(layers, in_channels, in_channels, 3, stride=2, relu=True) for _ in range(halvings - 1)]
    return nn.Sequential(*steps, conv_norm(layers, in_channels, out_channels, 3, stride=2))


def bilinear_path(layers: LayerConfig, in_channels: int, out_channels: int, halvings: int) -> nn.Sequential:
    """Build the path from a finer branch: bilinear interpolation, then 1x1 convolution and norm."""
    return nn.Sequential(BilinearDownsampling(halvings), conv_norm(layers, in_channels, out_channels, 1))


_FINER_PATHS: dict[str, Callable[[LayerConfig, int, int, int], nn.Sequential]] = {
    'strided': strided_path, 'bilinear': bilinear_path}


class FusionRow(nn.ModuleList):
    """Row of a fusion unit: the paths from all branches to one branch.

    ``self[j]`` is the path from branch ``j``. The path from the branch itself is the identity.

    Args:
        channels: Channels of all branches, finest first.
        branch: Index of the output branch.
        fusion: Configuration of the fusion unit.
        layers: Configuration of the layers.
    """

    def __init__(self, channels: Sequence[int], branch: int, fusion: FusionConfig, layers: LayerConfig) -> None:
        out_channels = channels[branch]
        finer_path = _FINER_PATHS[fusion.downsampling]
        super().__init__([
            *(finer_path(layers, width, out_channels, branch - j) for j, width in enumerate(channels[:branch])),
            nn.Identity(),
            *(coarser_path(layers, width, out_channels) for width in channels[branch + 1:])
        ])
        self.branch = branch
        self.upsampling = fusion.upsampling

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Combine the feature maps ``(N, C_j, H / 2**j, W / 2**j)`` of all branches j at the output resolution."""
        raise NotImplementedError

    def upsample(self, x: Tensor, feats: Sequence[Tensor], branch: int) -> Tensor:
        """Interpolate ``x`` from the resolution of a coarser ``branch`` to the output resolution."""
        if self.upsampling.mode == 'bilinear':
            return upsample_bilinear(x, feats[self.branch].shape[-2:], self.upsampling.align_corners)
        for j in range(branch - 1, self.branch - 1, -1):
            x = upsample_nearest_2x(x, feats[j].shape[-2:])
        return x


class SumRow(FusionRow):
    """Fusion row that sums the feature maps of all branches. Inputs are not modified."""

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Sum the feature maps of all branches at the output resolution."""
        total, coarser = feats[self.branch], self.coarser_sum(feats)
        if coarser is not None:
            total = coarser.add_(total)
        for j in range(self.branch):
            total = self[j](feats[j]).add_(total)
        return total

    def coarser_sum(self, feats: Sequence[Tensor]) -> Tensor | None:
        """Sum the coarser feature maps, each convolved and interpolated to the output resolution."""
        total = None
        for j in range(self.branch + 1, len(self)):
            term = self.upsample(self[j](feats[j]), feats, j)
            total = term if total is None else total.add_(term)
        return total


class NearestSumRow(SumRow):
    """Fusion row that sums the feature maps of all branches, with nearest interpolation.

    Repeated nearest interpolation by 2 equals one by a power of 2. The sum is therefore accumulated from coarse to
    fine, with one interpolation by 2 per branch.
    """

    def coarser_sum(self, feats: Sequence[Tensor]) -> Tensor | None:
        """Sum the coarser feature maps from coarse to fine."""
        total = None
        for j in range(len(self) - 1, self.branch, -1):
            term = self[j](feats[j])
            total = upsample_nearest_2x(term if total is None else term.add_(total), feats[j - 1].shape[-2:])
        return total


class ProductRow(FusionRow):
    """Fusion row that multiplies the feature maps of all branches, an ablation of the paper, section 7."""

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Multiply the feature maps of all branches at the output resolution."""
        # not in place: autograd needs each factor for the gradients of the others
        total = feats[self.branch]
        for j, path in enumerate(self):
            if j != self.branch:
                factor = path(feats[j])
                total = total * (self.upsample(factor, feats, j) if j > self.branch else factor)
        return total


def row_class(fusion: FusionConfig) -> type[FusionRow]:
    """Return the class of the rows of a fusion unit."""
    if fusion.operator == 'product':
        return ProductRow
    return NearestSumRow if fusion.upsampling.mode == 'nearest' else SumRow


class NoFusion(nn.Identity):
    """Identity in place of a fusion unit.

    torch.fx traces into this class, unlike into ``nn.Identity``, so that the list of feature maps stays a list.
    """


class MultiResolutionFusion(nn.ModuleList):
    """Fusion unit with one row per output. ``self[i][j]`` is the path from branch ``j`` to branch ``i``.

    Args:
        channels: Channels of all branches, finest first.
        out_indices: Branches with an output, in ascending order. The rows of the others are not built.
        fusion: Configuration of the fusion unit.
        layers: Configuration of the layers.
    """

    def __init__(self, channels: Sequence[int], out_indices: Sequence[int], fusion: FusionConfig,
                 layers: LayerConfig) -> None:
        row = row_class(fusion)
        # absent rows keep the state-dict keys of the others
        super().__init__(row(channels, i, fusion, layers) if i in out_indices else nn.Identity()
                         for i in range(max(out_indices) + 1))
        self.out_indices = tuple(out_indices)

    def forward(self, feats: Sequence[Tensor]) -> list[Tensor]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to the same shapes of the branches ``out_indices``."""
        return [self[i](feats) for i in self.out_indices]

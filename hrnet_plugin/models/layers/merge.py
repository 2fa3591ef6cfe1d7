"""1x1 convolution that merges the feature maps of all branches at the finest resolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.models.layers.conv import is_plain_cfg
from hrnet_plugin.models.layers.module_checks import has_own_hooks, is_plain_conv
from hrnet_plugin.models.layers.optimizable import Optimizable
from hrnet_plugin.models.layers.upsample import concatenate_upsampled, upsample_bilinear


class MergeConv(Optimizable[Sequence[Tensor]], ConvModule):
    """1x1 convolution, norm and activation on the concatenation of all feature maps, upsampled to the finest.

    A 1x1 convolution commutes with bilinear interpolation, and a convolution of a concatenation is a sum of
    convolutions. Each feature map is therefore convolved at its own resolution with its slice of the weight, then
    upsampled and added. This takes an eighth of the multiplications and no concatenation. Other types of convolution
    (``conv_cfg``), and convolutions with hooks, are applied to the concatenation.

    Args:
        in_channels: Channels of each feature map, finest first.
        out_channels: Channels of the result.
        align_corners: ``align_corners`` of the bilinear interpolation.
        conv_cfg, norm_cfg, act_cfg: Arguments of mmcv's ConvModule.
    """

    conv: nn.Module
    norm: nn.Module
    activate: nn.Module

    def __init__(self, in_channels: Sequence[int], out_channels: int, align_corners: bool = False,
                 conv_cfg: ConfigEntry | None = None, norm_cfg: ConfigEntry | None = None,
                 act_cfg: ConfigEntry | None = None) -> None:
        super().__init__(sum(in_channels), out_channels, kernel_size=1, conv_cfg=_copy(conv_cfg),
                         norm_cfg=_copy(norm_cfg), act_cfg=_copy(act_cfg))
        self.map_channels = tuple(in_channels)
        self.num_inputs = len(self.map_channels)
        self.align_corners = align_corners
        self.plain_convs = is_plain_cfg(conv_cfg)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, out_channels, H, W)``."""
        return self.optimized_or_eager(feats)[0]

    def eager_forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        """Compute the output of :meth:`forward`, as a tuple of one feature map."""
        conv = self.conv
        out = self._sum_of_convs(conv, inputs) if self._can_split(conv) else conv(
            concatenate_upsampled(inputs, self.align_corners))
        if self.with_norm:
            out = self.norm(out)
        return (self.activate(out) if self.with_activation else out, )

    def _can_split(self, conv: nn.Module) -> TypeGuard[nn.Conv2d]:
        return (self.plain_convs and is_plain_conv(conv) and conv.kernel_size == (1, 1)
                and not has_own_hooks(conv))

    def _sum_of_convs(self, conv: nn.Conv2d, feats: Sequence[Tensor]) -> Tensor:
        start = self.map_channels[0]
        total = F.conv2d(feats[0], conv.weight[:, :start], conv.bias)
        for x, width in zip(feats[1:], self.map_channels[1:]):
            term = F.conv2d(x, conv.weight[:, start:start + width])
            total = total.add_(self._upsample(term, feats))
            start += width
        return total

    def _upsample(self, x: Tensor, feats: Sequence[Tensor]) -> Tensor:
        return upsample_bilinear(x, feats[0].shape[-2:], self.align_corners)


def _copy(cfg: ConfigEntry | None) -> dict[str, ConfigValue] | None:
    return None if cfg is None else dict(cfg)

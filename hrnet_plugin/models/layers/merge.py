"""A 1x1 convolution of all resolutions at the finest one, without concatenating them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from torch import Tensor
from torch.nn import functional as F

from hrnet_plugin.models.layers.conv import is_plain_cfg
from hrnet_plugin.models.layers.upsample import upsample_bilinear


class MergeConv(ConvModule):
    """1x1 convolution (with norm and activation) of the concatenation of all maps, upsampled to the finest.

    A 1x1 convolution commutes with bilinear interpolation, and a convolution of a concatenation is a sum of
    convolutions. So each map is convolved at its own resolution with its slice of the weight, then upsampled and added:
    the same function for an eighth of the multiplications, and the concatenation is never made. Another convolution
    than the plain one (``conv_cfg``) need not commute; for it the concatenation is made.

    Args:
        in_channels: Channels of each map, finest first.
        out_channels: Channels of the result.
        align_corners: Of the bilinear interpolation.
        conv_cfg, norm_cfg, act_cfg: As in mmcv's ConvModule.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, align_corners: bool = False,
                 conv_cfg: Mapping[str, Any] | None = None, norm_cfg: Mapping[str, Any] | None = None,
                 act_cfg: Mapping[str, Any] | None = None) -> None:
        super().__init__(sum(in_channels), out_channels, kernel_size=1, conv_cfg=_copied(conv_cfg),
                         norm_cfg=_copied(norm_cfg), act_cfg=_copied(act_cfg))
        self.map_channels = tuple(in_channels)
        self.align_corners = align_corners
        self.commutes = is_plain_cfg(conv_cfg)

    def forward(self, *feats: Tensor) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, out_channels, H, W)``."""
        out = self._sum(feats) if self.commutes else self.conv(self._concatenate(feats))
        if self.with_norm:
            out = self.norm(out)
        return self.activate(out) if self.with_activation else out

    def _sum(self, feats: Sequence[Tensor]) -> Tensor:
        finest, *coarser = feats
        weight, *weights = self.conv.weight.split(self.map_channels, dim=1)
        total = F.conv2d(finest, weight, self.conv.bias)
        for x, weight in zip(coarser, weights):
            total = total.add_(upsample_bilinear(F.conv2d(x, weight), total.shape[-2:], self.align_corners))
        return total

    def _concatenate(self, feats: Sequence[Tensor]) -> Tensor:
        finest, *coarser = feats
        size = finest.shape[-2:]
        return torch.cat([finest, *(upsample_bilinear(x, size, self.align_corners) for x in coarser)], dim=1)


def _copied(cfg: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if cfg is None else dict(cfg)

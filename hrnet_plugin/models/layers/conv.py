"""The one place that builds a convolution with its norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from hrnet_plugin.models.layers.folding import folded_conv, folds
from hrnet_plugin.models.layers.lean import normalised, relu_


def is_plain_cfg(conv_cfg: Mapping[str, Any] | None) -> bool:
    """Whether a ``conv_cfg`` names torch's own convolution."""
    return conv_cfg is None or conv_cfg['type'] in ('Conv2d', 'Conv')


@dataclass(frozen=True)
class LayerConfig:
    """How all layers of a network are built.

    Args:
        conv_cfg: Convolution layer; None for ``Conv2d``.
        norm_cfg: Norm layer.
        with_cp: Whether residual blocks recompute their inside in the backward pass.
        zero_init_residual: Whether ``init_weights`` zeroes the last norm of each residual block.
    """
    conv_cfg: Mapping[str, Any] | None = None
    norm_cfg: Mapping[str, Any] = field(default_factory=lambda: dict(type='BN'))
    with_cp: bool = False
    zero_init_residual: bool = False

    def conv(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Module:
        """A convolution without bias that keeps the size, or halves it (rounding up) at stride 2."""
        cfg = dict(self.conv_cfg) if self.conv_cfg is not None else None
        return build_conv_layer(cfg, in_channels, out_channels, kernel_size=kernel_size, stride=stride,
                                padding=kernel_size // 2, bias=False)

    def norm(self, channels: int, postfix: int) -> tuple[str, nn.Module]:
        """A norm layer and the name it has in checkpoints, such as 'bn1' or 'gn1'."""
        return build_norm_layer(dict(self.norm_cfg), channels, postfix=postfix)


def conv_norm_relu(conv: nn.Module, norm: nn.Module, x: Tensor, relu: bool) -> Tensor:
    """``norm(conv(x))`` as a fresh tensor, and ReLU where asked for."""
    out = folded_conv(conv, norm, x) if folds(conv, norm, x) else normalised(norm, conv(x))
    return relu_(out) if relu else out


class ConvNorm(nn.Sequential):
    """Convolution, norm and, where there is a third part, ReLU; checkpoints name them 0, 1 and 2."""

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to a fresh tensor of the convolution's channels and size."""
        return conv_norm_relu(self[0], self[1], x, relu=len(self) > 2)

    def add_to(self, total: Tensor, x: Tensor) -> Tensor:
        """Add what a call gives to ``total``, in place, and return it."""
        return total.add_(self(x))


def conv_norm(layers: LayerConfig, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1,
              relu: bool = False) -> ConvNorm:
    """Convolution, norm and, where asked for, ReLU."""
    parts = [layers.conv(in_channels, out_channels, kernel_size, stride), layers.norm(out_channels, 1)[1]]
    if relu:
        parts.append(nn.ReLU(inplace=True))
    return ConvNorm(*parts)

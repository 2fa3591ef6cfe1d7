"""The one place that builds a convolution with its norm."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.layers.execution import Execution, get_execution


def is_plain_cfg(conv_cfg: ConfigEntry | None) -> bool:
    """Return True if a ``conv_cfg`` names torch's own convolution."""
    return conv_cfg is None or conv_cfg['type'] in ('Conv2d', 'Conv')


@dataclass(frozen=True)
class LayerConfig:
    """Configuration shared by all layers of a network.

    Args:
        conv_cfg: Convolution layer; None for ``Conv2d``.
        norm_cfg: Norm layer.
        with_cp: Whether residual blocks recompute their inside in the backward pass.
        zero_init_residual: Whether ``init_weights`` zeroes the last norm of each residual block.
        execution: Name of the :class:`Execution` that runs convolutions, norms and activations.
    """
    conv_cfg: ConfigEntry | None = None
    norm_cfg: ConfigEntry = field(default_factory=lambda: dict(type='BN'))
    with_cp: bool = False
    zero_init_residual: bool = False
    execution: str = 'folded'

    def conv(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Module:
        """Build a convolution without bias that keeps the size, or halves it (rounding up) at stride 2."""
        cfg = dict(self.conv_cfg) if self.conv_cfg is not None else None
        return build_conv_layer(cfg, in_channels, out_channels, kernel_size=kernel_size, stride=stride,
                                padding=kernel_size // 2, bias=False)

    def norm(self, channels: int, postfix: int) -> tuple[str, nn.Module]:
        """Build a norm layer; return the name it has in checkpoints, such as 'bn1' or 'gn1', and the layer."""
        return build_norm_layer(dict(self.norm_cfg), channels, postfix=postfix)

    def get_execution(self) -> Execution:
        """Return the execution that ``execution`` names."""
        return get_execution(self.execution)


class ConvNorm(nn.Sequential):
    """Convolution, norm and, as an optional third part, activation; checkpoints name them 0, 1 and 2."""

    execution = Execution()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to a new tensor of the convolution's channels and size."""
        if len(self) not in (2, 3):  # slices, and parts that were appended
            return super().forward(x)
        conv, norm, *act = self
        return self.execution.conv_norm_act(conv, norm, act[0] if act else None, x)


def conv_norm(layers: LayerConfig, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1,
              relu: bool = False) -> ConvNorm:
    """Build convolution, norm and, where asked for, ReLU."""
    parts = [layers.conv(in_channels, out_channels, kernel_size, stride), layers.norm(out_channels, 1)[1]]
    if relu:
        parts.append(nn.ReLU(inplace=True))
    layer = ConvNorm(*parts)
    layer.execution = layers.get_execution()
    return layer

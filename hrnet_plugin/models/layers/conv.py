"""Construction of convolutions, norms and activations."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmcv.cnn import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.layers.execution import Execution, get_execution


def is_plain_cfg(conv_cfg: ConfigEntry | None) -> bool:
    """Return True if ``conv_cfg`` selects ``torch.nn.Conv2d``."""
    return conv_cfg is None or conv_cfg['type'] in ('Conv2d', 'Conv')


@dataclass(frozen=True)
class LayerConfig:
    """Configuration shared by all layers of a network.

    Args:
        conv_cfg: Config of the convolution layers. Default: None, which means ``Conv2d``.
        norm_cfg: Config of the norm layers.
        with_cp: Whether to use activation checkpointing in residual blocks.
        zero_init_residual: Whether to initialize the last norm of each residual block with zeros.
        execution: Name of the :class:`Execution` that runs convolutions, norms and activations.
    """
    conv_cfg: ConfigEntry | None = None
    norm_cfg: ConfigEntry = field(default_factory=lambda: dict(type='BN'))
    with_cp: bool = False
    zero_init_residual: bool = False
    execution: str = 'folded'

    def conv(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Module:
        """Build a convolution without bias. Stride 1 keeps the size, and stride 2 halves it, rounding up."""
        cfg = dict(self.conv_cfg) if self.conv_cfg is not None else None
        return build_conv_layer(cfg, in_channels, out_channels, kernel_size=kernel_size, stride=stride,
                                padding=kernel_size // 2, bias=False)

    def norm(self, channels: int, postfix: int) -> tuple[str, nn.Module]:
        """Build a norm layer and return its name in checkpoints, such as 'bn1' or 'gn1', and the layer."""
        return build_norm_layer(dict(self.norm_cfg), channels, postfix=postfix)

    def get_execution(self) -> Execution:
        """Return the :class:`Execution` selected by ``execution``."""
        return get_execution(self.execution)


class ConvNorm(nn.Sequential):
    """Convolution, norm and optional activation, with the state-dict keys 0, 1 and 2."""

    execution = Execution()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to a new tensor with the output shape of the convolution."""
        if len(self) not in (2, 3):  # slices, or appended modules
            return super().forward(x)
        conv, norm, *act = self
        return self.execution.conv_norm_act(conv, norm, act[0] if act else None, x)


def conv_norm(layers: LayerConfig, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1,
              relu: bool = False) -> ConvNorm:
    """Build a convolution, a norm and, if ``relu``, a ReLU."""
    parts = [layers.conv(in_channels, out_channels, kernel_size, stride), layers.norm(out_channels, 1)[1]]
    if relu:
        parts.append(nn.ReLU(inplace=True))
    layer = ConvNorm(*parts)
    layer.execution = layers.get_execution()
    return layer

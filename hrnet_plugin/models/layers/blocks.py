"""Residual blocks of stem, branches and heads."""

from __future__ import annotations

from typing import ClassVar

from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn

from hrnet_plugin.arch import EXPANSIONS
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.numbered_norms import NumberedNorms
from hrnet_plugin.models.layers.recompute import needs_gradient, recompute_in_backward


class ResidualBlock(NumberedNorms, BaseModule):
    """Residual block ``relu(shortcut(x) + f(x))``.

    ``f`` is a chain of convolutions, each followed by a norm and, except for the last one, a ReLU.

    Args:
        in_channels: Channels of the input.
        channels: Width of the block. The output has ``channels * expansion`` channels.
        layers: Configuration of the layers.
    """
    expansion: ClassVar[int]
    kernel_sizes: ClassVar[tuple[int, ...]]

    def __init__(self, in_channels: int, channels: int, layers: LayerConfig) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        widths = (in_channels, *(channels, ) * (len(self.kernel_sizes) - 1), out_channels)
        self.with_cp = layers.with_cp
        self.execution = layers.get_execution()
        for k, kernel_size in enumerate(self.kernel_sizes, 1):
            self.add_module(f'conv{k}', layers.conv(widths[k - 1], widths[k], kernel_size))
            self.add_norm(k, widths[k], layers)
        self.relu = nn.ReLU(inplace=True)
        same = in_channels == out_channels
        self.downsample = nn.Identity() if same else conv_norm(layers, in_channels, out_channels, 1)
        if layers.zero_init_residual:
            # set as init_cfg, so that a checkpoint in the init_cfg of a parent module takes precedence
            self.init_cfg = dict(type='Constant', val=0, override=dict(name=getattr(self, f'norm{k}_name')))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, channels * expansion, H, W)``."""
        return recompute_in_backward(self, self._forward, x) if self.with_cp and needs_gradient(x) else self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        out, last = x, len(self.kernel_sizes)
        for k in range(1, last):
            out = self._unit(k, out)
        return self._unit(last, out, residual=self.downsample(x))

    def _unit(self, k: int, x: Tensor, residual: Tensor | None = None) -> Tensor:
        conv, norm = getattr(self, f'conv{k}'), getattr(self, f'norm{k}')
        return self.execution.conv_norm_act(conv, norm, self.relu, x, residual)


class BasicBlock(ResidualBlock):
    """Residual block of two 3x3 convolutions."""
    expansion = EXPANSIONS['BASIC']
    kernel_sizes = (3, 3)


class Bottleneck(ResidualBlock):
    """Residual block of 1x1, 3x3 and 1x1 convolutions, with expansion 4."""
    expansion = EXPANSIONS['BOTTLENECK']
    kernel_sizes = (1, 3, 1)


BLOCKS: dict[str, type[ResidualBlock]] = {'BASIC': BasicBlock, 'BOTTLENECK': Bottleneck}


def residual_branch(block: str, in_channels: int, channels: int, num_blocks: int, layers: LayerConfig) -> Sequential:
    """Build a sequence of ``num_blocks`` residual blocks at one resolution.

    mmengine's ``Sequential``, unlike torch's, calls ``init_weights`` of the blocks.
    """
    cls = BLOCKS[block]
    widths = (in_channels, *(channels * cls.expansion, ) * (num_blocks - 1))
    return Sequential(*(cls(width, channels, layers) for width in widths))

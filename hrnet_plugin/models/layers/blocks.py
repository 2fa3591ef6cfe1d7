"""Residual blocks: what a branch is made of."""

from __future__ import annotations

from typing import ClassVar

from mmengine.model import BaseModule, Sequential
from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm, conv_norm_relu
from hrnet_plugin.models.layers.lean import add_, relu_
from hrnet_plugin.models.layers.recompute import recomputed


class ResidualBlock(BaseModule):
    """``relu(x + f(x))`` with ``f`` a chain of convolutions, each followed by a norm and, but for the last, a ReLU.

    Args:
        in_channels: Channels of the input.
        channels: Width of the block; its output has ``channels * expansion`` channels.
        layers: How its layers are built.
    """
    expansion: ClassVar[int]
    kernel_sizes: ClassVar[tuple[int, ...]]

    def __init__(self, in_channels: int, channels: int, layers: LayerConfig) -> None:
        super().__init__()
        out_channels = channels * self.expansion
        widths = (in_channels, *(channels, ) * (len(self.kernel_sizes) - 1), out_channels)
        self.with_cp = layers.with_cp
        self.norm_names = []
        for k, kernel_size in enumerate(self.kernel_sizes, 1):
            self.add_module(f'conv{k}', layers.conv(widths[k - 1], widths[k], kernel_size))
            name, norm = layers.norm(widths[k], k)
            self.add_module(name, norm)
            self.norm_names.append(name)
        self.relu = nn.ReLU(inplace=True)
        same = in_channels == out_channels
        self.downsample = nn.Identity() if same else conv_norm(layers, in_channels, out_channels, 1)
        if layers.zero_init_residual:
            # In this form a checkpoint named by an outer init_cfg wins, as everywhere in mmengine.
            self.init_cfg = dict(type='Constant', val=0, override=dict(name=self.norm_names[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, channels * expansion, H, W)``."""
        if self.with_cp and x.requires_grad:
            return self.relu(recomputed(self, self._sum, x))
        return relu_(self._sum(x), self.relu)

    def _sum(self, x: Tensor) -> Tensor:
        out = x
        for k, name in enumerate(self.norm_names, 1):
            relu = k < len(self.norm_names)
            out = conv_norm_relu(getattr(self, f'conv{k}'), getattr(self, name), out, relu)
        return add_(out, self.downsample(x))


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions."""
    expansion = 1
    kernel_sizes = (3, 3)


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions; four times as many channels come out."""
    expansion = 4
    kernel_sizes = (1, 3, 1)


BLOCKS: dict[str, type[ResidualBlock]] = {'BASIC': BasicBlock, 'BOTTLENECK': Bottleneck}


def residual_branch(block: str, in_channels: int, channels: int, num_blocks: int, layers: LayerConfig) -> Sequential:
    """``num_blocks`` residual blocks in a row, at one resolution.

    mmengine's containers, unlike torch's, hand ``init_weights`` on to the blocks.
    """
    cls = BLOCKS[block]
    widths = (in_channels, *(channels * cls.expansion, ) * (num_blocks - 1))
    return Sequential(*(cls(width, channels, layers) for width in widths))

"""Stem: two convolutions that reduce the image to a quarter of its size."""

from __future__ import annotations

from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig
from hrnet_plugin.models.layers.numbered_norms import NumberedNorms

STEM_CHANNELS = 64


class Stem(NumberedNorms):
    """Two 3x3 convolutions of stride 2, each followed by norm and ReLU.

    HRNet is a subclass because checkpoints have these layers at the top level.
    """

    conv1: nn.Module
    conv2: nn.Module

    def build_stem(self, in_channels: int, layers: LayerConfig) -> None:
        """Add the layers of the stem for images with ``in_channels`` channels."""
        self.execution = layers.get_execution()
        for k, width in enumerate((in_channels, STEM_CHANNELS), 1):
            self.add_module(f'conv{k}', layers.conv(width, STEM_CHANNELS, 3, stride=2))
            self.add_norm(k, STEM_CHANNELS, layers)
        self.relu = nn.ReLU(inplace=True)

    def stem(self, x: Tensor) -> Tensor:
        """Map images ``(N, in_channels, H, W)`` to ``(N, 64, ceil(H / 4), ceil(W / 4))``."""
        x = self.execution.conv_norm_act(self.conv1, self.norm1, self.relu, x)
        return self.execution.conv_norm_act(self.conv2, self.norm2, self.relu, x)

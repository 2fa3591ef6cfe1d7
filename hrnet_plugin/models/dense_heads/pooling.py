"""Poolings that bring to a corner or a centre what is seen of the object elsewhere.

`CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, section 3.3.
"""

from __future__ import annotations

from abc import abstractmethod

from mmcv.ops import CornerPool
from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm


class KeypointPooling(nn.Module):
    """Two directions, each convolved and pooled, added to the input and mixed.

    Args:
        channels: Channels of input and output.
        pool_channels: Channels that are pooled.
        layers: How its layers are built.
    """

    def __init__(self, channels: int, pool_channels: int, layers: LayerConfig) -> None:
        super().__init__()
        self.first = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.second = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.merge = conv_norm(layers, pool_channels, channels, 3)
        self.shortcut = conv_norm(layers, channels, channels, 1)
        self.relu = nn.ReLU(inplace=True)
        self.mix = conv_norm(layers, channels, channels, 3, relu=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, channels, H, W)`` to the same shape."""
        merged = self.merge(self.pooled(x))
        return self.mix(self.relu(merged.add_(self.shortcut(x))))

    @abstractmethod
    def pooled(self, x: Tensor) -> Tensor:
        """Both directions' pooled maps, added up: ``(N, pool_channels, H, W)``."""


class CascadeCornerPooling(KeypointPooling):
    """A corner sees the borders of its object, and from there the inside.

    The corner lies outside of most objects. Each of the two borders that meet in it looks inwards first, along the
    other direction; what it sees joins the border's own map, which is then pooled along the border.

    Args:
        channels: Channels of input and output.
        pool_channels: Channels that are pooled.
        layers: How its layers are built.
        directions: To which side each of the two borders is pooled: ('top', 'left') for top-left corners.
    """

    def __init__(self, channels: int, pool_channels: int, layers: LayerConfig, directions: tuple[str, str]) -> None:
        super().__init__(channels, pool_channels, layers)
        self.first_inside = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.second_inside = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.first_border = layers.conv(pool_channels, pool_channels, 3)
        self.second_border = layers.conv(pool_channels, pool_channels, 3)
        self.first_pool, self.second_pool = map(CornerPool, directions)

    def pooled(self, x: Tensor) -> Tensor:
        """Both borders' pooled maps, added up: ``(N, pool_channels, H, W)``."""
        first = self.first_border(self.first(x) + self.second_pool(self.first_inside(x)))
        second = self.second_border(self.second(x) + self.first_pool(self.second_inside(x)))
        return self.first_pool(first) + self.second_pool(second)


class CenterPooling(KeypointPooling):
    """A centre sees the strongest response of its row and of its column, wherever in them that is."""

    def pooled(self, x: Tensor) -> Tensor:
        """The maxima of columns and of rows, added up: ``(N, pool_channels, H, W)``."""
        return self.first(x).amax(dim=2, keepdim=True) + self.second(x).amax(dim=3, keepdim=True)

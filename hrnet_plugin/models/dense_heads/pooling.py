"""Cascade corner pooling and center pooling.

`CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, section 3.3.
"""

from __future__ import annotations

from abc import abstractmethod

from mmcv.ops import CornerPool
from torch import Tensor, nn

from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm


class KeypointPooling(nn.Module):
    """Base class of poolings in two directions.

    The input is convolved and pooled in each direction. The sum is convolved, added to a shortcut and convolved again.

    Args:
        channels: Channels of input and output.
        pool_channels: Channels of the pooled feature maps.
        layers: Configuration of the layers.
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
        merged = self.merge(self.pool(x))
        return self.mix(self.relu(merged.add_(self.shortcut(x))))

    @abstractmethod
    def pool(self, x: Tensor) -> Tensor:
        """Return the sum of both pooled feature maps, shape ``(N, pool_channels, H, W)``."""


class CascadeCornerPooling(KeypointPooling):
    """Cascade corner pooling.

    Corners lie outside of most objects. Features are therefore pooled from the inside of the object to its two
    borders, and then along each border to the corner.

    Args:
        channels: Channels of input and output.
        pool_channels: Channels of the pooled feature maps.
        layers: Configuration of the layers.
        directions: Directions of mmcv's CornerPool: ('top', 'left') or ('bottom', 'right').
    """

    def __init__(self, channels: int, pool_channels: int, layers: LayerConfig, directions: tuple[str, str]) -> None:
        super().__init__(channels, pool_channels, layers)
        self.first_inside = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.second_inside = conv_norm(layers, channels, pool_channels, 3, relu=True)
        self.first_border = layers.conv(pool_channels, pool_channels, 3)
        self.second_border = layers.conv(pool_channels, pool_channels, 3)
        self.first_pool, self.second_pool = map(CornerPool, directions)

    def pool(self, x: Tensor) -> Tensor:
        """Return the sum of the feature maps pooled along both borders, shape ``(N, pool_channels, H, W)``."""
        first = self.first_border(self.first(x) + self.second_pool(self.first_inside(x)))
        second = self.second_border(self.second(x) + self.first_pool(self.second_inside(x)))
        return self.first_pool(first) + self.second_pool(second)


class CenterPooling(KeypointPooling):
    """Center pooling: the sum of the maxima of each row and column."""

    def pool(self, x: Tensor) -> Tensor:
        """Return the sum of the maxima of columns and rows, shape ``(N, pool_channels, H, W)``."""
        return self.first(x).amax(dim=2, keepdim=True) + self.second(x).amax(dim=3, keepdim=True)

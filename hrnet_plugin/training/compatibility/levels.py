"""Feature maps that the heads of a model receive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import nn

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2
from hrnet_plugin.training.compatibility.meta_forward import output_shapes


@dataclass(frozen=True)
class Levels:
    """Feature maps that a backbone or neck returns.

    Attributes:
        source: Part of the model that returns them: 'backbone' or 'neck'.
        channels: Channels of each feature map.
        strides: Stride of each feature map. None if one is not an integer.
        backbone: Backbone of the model, or None if it is none of this package.
        pyramid: Last pyramid of this package, whose options may be changed instead of those of a head.
    """

    source: str
    channels: tuple[int, ...]
    strides: tuple[int, ...] | None
    backbone: HRNet | None = None
    pyramid: HRFPN | HRNetV2 | None = None

    def __len__(self) -> int:
        return len(self.channels)

    @property
    def maps(self) -> str:
        """Word for the feature maps in messages."""
        return 'levels' if self.source == 'neck' else 'feature maps'

    @property
    def text(self) -> str:
        """Number, channels and strides for messages."""
        return f'{len(self)} {self.maps} of the {self.source}, with channels {list(self.channels)}'


def backbone_levels(backbone: nn.Module | None) -> Levels | None:
    """Return the feature maps of a backbone of this package, or None for other backbones."""
    if not isinstance(backbone, HRNet):
        return None
    return Levels('backbone', backbone.out_channels, backbone.out_strides, backbone)


def neck_levels(neck: nn.Module, before: Levels | None) -> Levels | None:
    """Return the feature maps of a neck, or None if they are unknown.

    Args:
        neck: Neck of any package.
        before: Inputs of the neck, or None if they are unknown.

    Raises:
        ValueError: If a neck of a host cannot process its inputs. The message has the reason only.
    """
    if isinstance(neck, (HRFPN, HRNetV2)):
        # their strides are those for a finest input of stride 4
        first = 4 if before is None or before.strides is None else before.strides[0]
        strides = tuple(stride * first // 4 for stride in neck.out_strides)
        backbone = None if before is None else before.backbone
        return Levels('neck', (neck.out_channels, ) * len(strides), strides, backbone, neck)
    if before is None or before.strides is None:
        return None
    shapes = output_shapes(neck, before.channels, before.strides)
    if shapes is None:
        # other necks after a pyramid keep its levels
        return before if before.source == 'neck' else None
    return replace(before, source='neck', channels=shapes[0], strides=shapes[1])


def find_levels(backbone: nn.Module | None, necks: Sequence[nn.Module]) -> Levels | None:
    """Return the inputs of the heads of a model whose necks are checked already, or None if they are unknown."""
    levels = backbone_levels(backbone)
    for neck in necks:
        levels = neck_levels(neck, levels)
    return levels

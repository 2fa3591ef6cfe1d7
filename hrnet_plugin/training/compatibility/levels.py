"""Feature maps that the heads of a model receive."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.necks.hrfpn import HRFPN
from hrnet_plugin.models.necks.hrnetv2 import HRNetV2
from hrnet_plugin.training.compatibility.meta_forward import output_shapes
from hrnet_plugin.training.compatibility.origin import host_of, is_ours

# necks of mmdet that keep number and strides of the levels; some of their operators lack the meta device
_KEEPS_LEVELS = ('BFP', 'DyHead')


@dataclass(frozen=True)
class Levels:
    """Feature maps that a backbone or neck returns.

    Attributes:
        source: Part of the model that returns them: 'backbone' or 'neck'.
        channels: Channels of each feature map.
        strides: Stride of each feature map. None if one is not an integer.
        backbone: Backbone of the model, or None if it is none of this package.
        neck: Last neck, whose options may be changed instead of those of a head.
        key: Key of the last neck in the config.
    """

    source: str
    channels: tuple[int, ...]
    strides: tuple[int, ...] | None
    backbone: HRNet | None = None
    neck: nn.Module | None = None
    key: str = 'neck'

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
    if not isinstance(backbone, HRNet) or not is_ours(backbone):
        return None
    return Levels('backbone', backbone.out_channels, backbone.out_strides, backbone)


def neck_levels(key: str, neck: nn.Module, before: Levels | None) -> Levels | None:
    """Return the feature maps of a neck, or None if they are unknown.

    Args:
        key: Key of the neck in the config.
        neck: Neck of any package.
        before: Inputs of the neck, or None if they are unknown.

    Raises:
        ValueError: If a neck of a host cannot process its inputs. The message has the reason only.
    """
    if isinstance(neck, (HRFPN, HRNetV2)) and is_ours(neck):
        return _own_levels(key, neck, before)
    if before is None or before.strides is None:
        return None
    shapes = output_shapes(neck, before.channels, before.strides)
    if shapes is None and host_of(neck) == 'mmdet' and type(neck).__name__ in _KEEPS_LEVELS:
        width = getattr(neck, 'out_channels', None)
        shapes = (width, ) * len(before) if isinstance(width, int) else before.channels, before.strides
    if shapes is None:
        return None
    return replace(before, source='neck', channels=shapes[0], strides=shapes[1], neck=neck, key=key)


def _own_levels(key: str, neck: HRFPN | HRNetV2, before: Levels | None) -> Levels:
    channels, strides, backbone = (neck.out_channels, ) * len(neck.out_strides), None, None
    if before is not None:
        backbone = before.backbone
        if before.strides is not None:
            # out_strides are those for a finest input of stride 4
            strides = tuple(stride * before.strides[0] // 4 for stride in neck.out_strides)
    return Levels('neck', channels, strides, backbone, neck, key)

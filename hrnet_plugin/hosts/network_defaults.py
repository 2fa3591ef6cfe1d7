"""Default arguments of the HRNets of hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrnet_plugin.config_types import ConfigEntry

    Initializers = tuple[ConfigEntry, ...]

_CONSTANT: ConfigEntry = dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm'])
KAIMING: Initializers = (dict(type='Kaiming', layer='Conv2d'), _CONSTANT)
SMALL_NORMAL: Initializers = (dict(type='Normal', std=0.001, layer=['Conv2d']), _CONSTANT)


@dataclass(frozen=True, kw_only=True)
class NetworkDefaults:
    """Default arguments of a host's HRNet.

    Args:
        norm_eval: Whether to freeze batch norms in training.
        multiscale_output: Whether to return the feature maps of all branches or of the finest one only.
        upsampling: Interpolation mode of the fusion, 'nearest' or 'bilinear'.
        init_cfg: Initializers for training from scratch.
    """

    norm_eval: bool = False
    multiscale_output: bool = True
    upsampling: str = 'nearest'
    init_cfg: Initializers = KAIMING

"""What each host's own HRNet does where its configs say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.models.layers.upsample import Upsampling

_CONSTANT = dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm'])
_KAIMING = (dict(type='Kaiming', layer='Conv2d'), _CONSTANT)
_SMALL_NORMAL = (dict(type='Normal', std=0.001, layer=['Conv2d']), _CONSTANT)


@dataclass(frozen=True)
class HostDefaults:
    """Defaults of one host's HRNet.

    Args:
        norm_eval: Whether batch norms keep their statistics in training.
        multiscale_output: Whether all four maps come out, or the finest only.
        upsampling: Of the fusion.
        init_cfg: Initial weights of a network without a checkpoint.
    """
    norm_eval: bool
    multiscale_output: bool
    upsampling: Upsampling
    init_cfg: tuple[Mapping[str, Any], ...]


HOSTS: dict[str, HostDefaults] = {
    'mmdet': HostDefaults(True, True, Upsampling('nearest'), _KAIMING),
    'mmpose': HostDefaults(False, False, Upsampling('nearest'), _SMALL_NORMAL),
    'mmseg': HostDefaults(False, True, Upsampling('bilinear'), _KAIMING),
    'mmpretrain': HostDefaults(False, True, Upsampling('nearest'), _KAIMING),
}

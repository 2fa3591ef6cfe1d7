"""Interpolation to a finer resolution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hrnet_plugin.checks import check_bool, check_choice
from hrnet_plugin.config_types import ConfigEntry, ConfigValue

UpsampleCfg = str | ConfigEntry | None
_MODES = ('nearest', 'bilinear')


@dataclass(frozen=True)
class Upsampling:
    """An interpolation.

    The official classification, pose and detection networks use 'nearest'; segmentation and face use 'bilinear', with
    ``align_corners=True`` in the OCR family.

    Args:
        mode: 'nearest' or 'bilinear'.
        align_corners: Whether corner pixels map onto corner pixels; bilinear only.
    """
    mode: str = 'nearest'
    align_corners: bool = False

    def __post_init__(self) -> None:
        check_choice("upsample['mode']", self.mode, _MODES)
        check_bool("upsample['align_corners']", self.align_corners)
        if self.mode == 'nearest' and self.align_corners:
            raise ValueError("upsample['align_corners'] must be False with mode 'nearest', got True")

    @property
    def text(self) -> str:
        """For people and for metadata: 'nearest', 'bilinear' or 'bilinear, align_corners'."""
        return f'{self.mode}, align_corners' if self.align_corners else self.mode

    @property
    def cfg(self) -> dict[str, ConfigValue]:
        """What :meth:`parse` reads."""
        return dict(mode=self.mode, align_corners=True) if self.align_corners else dict(mode=self.mode)

    @classmethod
    def parse(cls, cfg: ConfigValue) -> Upsampling:
        """From a mode, or a mapping with ``mode`` and ``align_corners`` (None counts as False), or None for nearest."""
        if cfg is None:
            return cls()
        if isinstance(cfg, str):
            return cls(cfg)
        if not isinstance(cfg, Mapping):
            raise TypeError(f'upsample must be a mode or a mapping with the key mode, got {cfg!r}')
        for key in cfg:
            check_choice('each key of upsample', key, ('mode', 'align_corners'))
        if 'mode' not in cfg:
            raise ValueError(f"upsample must have the key 'mode', got {dict(cfg)!r}")
        mode, align_corners = check_choice("upsample['mode']", cfg['mode'], _MODES), cfg.get('align_corners')
        return cls(mode, align_corners is not None and check_bool("upsample['align_corners']", align_corners))


def upsample_bilinear(x: Tensor, size: torch.Size, align_corners: bool) -> Tensor:
    """Interpolate ``x`` of shape (N, C, h, w) to (N, C, *size)."""
    return F.interpolate(x, size=size, mode='bilinear', align_corners=align_corners)


def double_nearest(x: Tensor, size: torch.Size) -> Tensor:
    """Interpolate ``x``, shape (N, C, ceil(H / 2), ceil(W / 2)), to ``size`` = (H, W): pixel r comes from r // 2.

    Applied k times, this is exactly one nearest interpolation by 2**k. At odd sizes a single F.interpolate(size=...)
    over several resolutions takes other pixels. (Above H or W of 5000, rounding moves single pixels.)
    """
    return F.interpolate(x, size=size, mode='nearest')

"""Interpolation of feature maps to a finer resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Interpolation mode of upsampling.

    The official classification, pose and detection networks use 'nearest'. Those for segmentation and faces use
    'bilinear', with ``align_corners=True`` in the OCR family.

    Args:
        mode: 'nearest' or 'bilinear'.
        align_corners: ``align_corners`` of ``torch.nn.functional.interpolate``, for mode 'bilinear' only.
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
        """Text for messages and checkpoint metadata: 'nearest', 'bilinear' or 'bilinear, align_corners'."""
        return f'{self.mode}, align_corners' if self.align_corners else self.mode

    @property
    def cfg(self) -> dict[str, ConfigValue]:
        """Config mapping that :meth:`parse` accepts."""
        return dict(mode=self.mode, align_corners=True) if self.align_corners else dict(mode=self.mode)

    @classmethod
    def parse(cls, cfg: ConfigValue) -> Upsampling:
        """Create an instance from a config.

        Args:
            cfg: A mode, or a mapping with ``mode`` and optionally ``align_corners``. None means 'nearest'.

        Raises:
            TypeError, ValueError: If ``cfg`` is invalid.
        """
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


def concatenate_upsampled(feats: Sequence[Tensor], align_corners: bool) -> Tensor:
    """Interpolate feature maps to the size of the first one and concatenate their channels.

    Args:
        feats: Feature maps, each of shape (N, C_b, H_b, W_b).
        align_corners: ``align_corners`` of the interpolation.

    Returns:
        Feature map of shape (N, sum of C_b, H_0, W_0).
    """
    finest, *coarser = feats
    return torch.cat([finest, *(upsample_bilinear(x, finest.shape[-2:], align_corners) for x in coarser)], dim=1)


def upsample_nearest_2x(x: Tensor, size: torch.Size) -> Tensor:
    """Interpolate ``x``, shape (N, C, ceil(H / 2), ceil(W / 2)), to ``size`` (H, W). Pixel r is a copy of r // 2.

    k calls are exactly one nearest interpolation by 2**k. At odd sizes, one ``F.interpolate(size=...)`` over several
    resolutions selects other pixels. If H or W exceeds 5000, single pixels may be shifted by rounding.
    """
    return F.interpolate(x, size=size, mode='nearest')

"""How a map is brought to a finer resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from hrnet_plugin.checks import check_bool, check_choice

UpsampleCfg = str | Mapping[str, Any] | None


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
        check_choice("upsample['mode']", self.mode, ('nearest', 'bilinear'))
        check_bool("upsample['align_corners']", self.align_corners)
        if self.mode == 'nearest' and self.align_corners:
            raise ValueError("upsample['align_corners'] must be False with mode 'nearest', got True")

    @property
    def text(self) -> str:
        """For people and for metadata: 'nearest', 'bilinear' or 'bilinear, align_corners'."""
        return f'{self.mode}, align_corners' if self.align_corners else self.mode

    @property
    def cfg(self) -> dict[str, Any]:
        """What :meth:`parse` reads."""
        return dict(mode=self.mode, align_corners=True) if self.align_corners else dict(mode=self.mode)

    @classmethod
    def parse(cls, cfg: UpsampleCfg) -> Upsampling:
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
        align_corners = cfg.get('align_corners')
        return cls(cfg['mode'], False if align_corners is None else align_corners)


def upsample(x: Tensor, sizes: Sequence[torch.Size], upsampling: Upsampling) -> Tensor:
    """``x`` of shape (N, C, h, w) interpolated to the last of ``sizes``.

    Args:
        x: A map.
        sizes: (H, W) of each finer resolution on the way, each twice the one before (or one less).
        upsampling: The interpolation.
    """
    if upsampling.mode == 'bilinear':
        return upsample_bilinear(x, sizes[-1], upsampling.align_corners)
    for size in sizes:
        x = double_nearest(x, size)
    return x


def upsample_bilinear(x: Tensor, size: torch.Size, align_corners: bool) -> Tensor:
    """``x`` of shape (N, C, h, w) interpolated to (N, C, *size)."""
    return F.interpolate(x, size=size, mode='bilinear', align_corners=align_corners)


def double_nearest(x: Tensor, size: torch.Size) -> Tensor:
    """``x`` of shape (N, C, ceil(H / 2), ceil(W / 2)) with each pixel repeated, cut to ``size`` = (H, W).

    Pixel (r, c) becomes (r // 2, c // 2) of the input at every size, so that applying this k times is exactly one
    nearest interpolation by 2**k; with F.interpolate(size=...) that holds for even sizes only.
    """
    doubled = F.interpolate(x, scale_factor=2, mode='nearest')
    if doubled.shape[-2:] == size:
        return doubled
    channels_last = not x.is_contiguous() and x.is_contiguous(memory_format=torch.channels_last)
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    return doubled[..., :size[0], :size[1]].contiguous(memory_format=memory_format)

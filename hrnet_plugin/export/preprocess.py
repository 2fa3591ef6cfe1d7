"""Normalization and padding of images as part of an exported model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Preprocessing(nn.Module):
    """Test-time operations of a host's data preprocessor on a batch of images of one size.

    Images are padded at the right and bottom after the normalization, as in the hosts.

    Args:
        preprocessor: Data preprocessor of a model of mmdet, mmpose or mmseg.
        flip_channels: Whether to reverse the channels.
    """

    mean: Tensor | None
    std: Tensor | None

    def __init__(self, preprocessor: nn.Module, *, flip_channels: bool) -> None:
        super().__init__()
        found: Any = preprocessor
        self.flip_channels = flip_channels
        for name in ('mean', 'std'):
            self.register_buffer(name, getattr(found, name).clone() if found._enable_normalize else None)
        self.size, self.divisor, self.value = _padding(found)

    def forward(self, images: Tensor) -> Tensor:
        """Normalize and pad images.

        Args:
            images: Images with values from 0 to 255, shape (B, C, H, W).
        """
        if self.flip_channels:
            images = images.flip(1)
        if self.mean is not None and self.std is not None:
            images = (images - self.mean) / self.std
        height, width = images.shape[-2:]
        if self.size is not None:
            missing = [_positive(size - own) for size, own in zip(self.size, (height, width))]
        elif self.divisor > 1:
            # not (-own) % divisor: padded sizes are multiples of the divisor for torch.export, too
            missing = [(own + self.divisor - 1) // self.divisor * self.divisor - own for own in (height, width)]
        else:
            return images
        return F.pad(images, (0, missing[1], 0, missing[0]), value=self.value)


def reverses_channels(preprocessor: nn.Module) -> bool:
    """Return True if a data preprocessor of a host reverses the order of three channels.

    Args:
        preprocessor: Data preprocessor.
    """
    names = ('_channel_conversion', 'channel_conversion')  # of mmengine and of mmseg
    return any(getattr(preprocessor, name, False) for name in names)


def _padding(preprocessor: Any) -> tuple[tuple[int, int] | None, int, float]:
    """Return the least size, the divisor of the size, and the value of padded pixels."""
    if hasattr(preprocessor, 'pad_size_divisor'):
        return None, preprocessor.pad_size_divisor, float(preprocessor.pad_value)
    test: Mapping[str, Any] = preprocessor.test_cfg or {}  # mmseg
    size = test.get('size')
    return None if size is None else (size[-2], size[-1]), test.get('size_divisor') or 1, float(preprocessor.pad_val)


def _positive(number: Any) -> Any:
    """Return the larger one of a number and 0. Tracers represent sizes by tensors or symbols."""
    return number.clamp(min=0) if isinstance(number, Tensor) else torch.sym_max(number, 0)

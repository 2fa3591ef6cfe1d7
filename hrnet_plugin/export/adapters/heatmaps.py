"""Decoding of heat maps to keypoints, as in mmpose's codecs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.blur import GaussianBlur

#: Offsets (dx, dy) of the four neighbors.
_CROSS = ((1, 0), (-1, 0), (0, 1), (0, -1))
#: Offsets (dx, dy) for the Hessian of DARK, which has steps of two pixels.
_DARK = (*_CROSS, (2, 0), (-2, 0), (0, 2), (0, -2), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 0))
#: Offsets (dx, dy) for the Hessian of UDP, which has steps of one pixel.
_UDP = (*_CROSS, (1, 1), (-1, -1), (0, 0))


class HeatmapDecoder(nn.Module):
    """Keypoints at the maxima of heat maps, refined by a quarter of a pixel towards the higher neighbor.

    A keypoint without a positive value is at (-1, -1) in pixels of the heat map.

    Args:
        scale: Size of a heat map pixel in pixels of the image, in x and y direction.
    """

    scale: Tensor

    def __init__(self, scale: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer('scale', torch.tensor(scale, dtype=torch.float32), persistent=False)

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            heatmaps: Heat maps, shape (B, K, H, W).

        Returns:
            Keypoints (x, y) in pixels of the image, shape (B, K, 2), and their scores, shape (B, K).
        """
        width = heatmaps.shape[3]
        flat = heatmaps.flatten(2)
        scores, index = flat.amax(2), flat.argmax(2)
        is_visible = scores > 0
        missing = torch.full_like(index, -1)
        x = torch.where(is_visible, index % width, missing)
        y = torch.where(is_visible, torch.div(index, width, rounding_mode='floor'), missing)
        offsets = torch.stack(self.refine(heatmaps, x, y), 2)
        return (torch.stack([x, y], 2) + offsets) * self.scale, scores

    def refine(self, heatmaps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the offsets of keypoints from their pixels.

        Args:
            heatmaps: Heat maps, shape (B, K, H, W).
            x, y: Pixels of the maxima, shape (B, K). -1 for missing keypoints.

        Returns:
            Offsets in x and y direction, each of shape (B, K).
        """
        height, width = heatmaps.shape[2:]
        right, left, below, above = _gather(heatmaps, x, y, _CROSS)
        inside_x = (x > 1) & (x < width - 1) & (y > 0)
        inside_y = (y > 1) & (y < height - 1) & (x > 0)
        zero = torch.zeros_like(right)
        return (torch.where(inside_x, 0.25 * torch.sign(right - left), zero),
                torch.where(inside_y, 0.25 * torch.sign(below - above), zero))


class _BlurredDecoder(HeatmapDecoder):
    """Keypoints refined on blurred heat maps.

    Args:
        scale: Size of a heat map pixel in pixels of the image, in x and y direction.
        kernel_size: Size of the Gaussian kernel.
    """

    def __init__(self, scale: Sequence[float], kernel_size: int) -> None:
        super().__init__(scale)
        self.blur = GaussianBlur(kernel_size)


class DarkDecoder(_BlurredDecoder):
    """Keypoints refined by a Newton step on the logarithm of the blurred heat maps (DARK, arXiv 1910.06278)."""

    def refine(self, heatmaps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the offsets of keypoints. Those within two pixels of the border are not refined."""
        height, width = heatmaps.shape[2:]
        values = [value.clamp(min=1e-10).log() for value in _gather(self.blur(heatmaps), x, y, _DARK)]
        right, left, below, above, right_2, left_2, below_2, above_2, *corners, center = values
        right_below, right_above, left_below, left_above = corners
        dx, dy = 0.5 * (right - left), 0.5 * (below - above)
        dxx = 0.25 * (right_2 - 2 * center + left_2)
        dyy = 0.25 * (below_2 - 2 * center + above_2)
        dxy = 0.25 * (right_below - right_above - left_below + left_above)
        determinant = dxx * dyy - dxy * dxy
        is_refined = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2) & (determinant != 0)
        divisor = torch.where(is_refined, determinant, torch.ones_like(determinant))
        zero = torch.zeros_like(dx)
        return (torch.where(is_refined, (dxy * dy - dyy * dx) / divisor, zero),
                torch.where(is_refined, (dxy * dx - dxx * dy) / divisor, zero))


class UDPDecoder(_BlurredDecoder):
    """Keypoints refined as in DARK with unbiased data processing (UDP, arXiv 1911.07524)."""

    def refine(self, heatmaps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the offsets of keypoints. Heat maps are continued by their border pixels."""
        padded = F.pad(self.blur(heatmaps), (1, 1, 1, 1), mode='replicate')
        values = _gather_joined(padded, x + 1, y + 1, _UDP)
        right, left, below, above, right_below, left_above, center = [value.clamp(1e-3, 50).log() for value in values]
        dx, dy = 0.5 * (right - left), 0.5 * (below - above)
        dxx, dyy = right - 2 * center + left, below - 2 * center + above
        dxy = 0.5 * (right_below - right - below + 2 * center - left - above + left_above)
        epsilon = torch.finfo(torch.float32).eps  # on the diagonal of the Hessian, which is 0 where values are equal
        dxx, dyy = dxx + epsilon, dyy + epsilon
        determinant = dxx * dyy - dxy * dxy
        return (dxy * dy - dyy * dx) / determinant, (dxy * dx - dxx * dy) / determinant


def make_decoder(codec: Any) -> HeatmapDecoder:
    """Return the decoder of a codec of mmpose.

    Raises:
        UnsupportedModel: If there is none.
    """
    kind = f'{type(codec).__module__.partition(".")[0]}.{type(codec).__name__}'
    if kind == 'mmpose.MSRAHeatmap':
        scale = codec.scale_factor.tolist()
        return DarkDecoder(scale, codec.blur_kernel_size) if codec.unbiased else HeatmapDecoder(scale)
    if kind == 'mmpose.UDPHeatmap' and codec.heatmap_type == 'gaussian':
        # mmpose decodes with the input size, and encodes with the input size minus one
        scale = [size / (pixels - 1) for size, pixels in zip(codec.input_size, codec.heatmap_size)]
        return UDPDecoder(scale, codec.blur_kernel_size)
    expected = "must be MSRAHeatmap, or UDPHeatmap with heatmap_type='gaussian'"
    heatmap_type = getattr(codec, 'heatmap_type', None)
    got = kind if heatmap_type is None else f'{kind} with heatmap_type={heatmap_type!r}'
    raise UnsupportedModel(f'decoder of the head {expected}, got {got}. Export the network with --part network')


def _gather(maps: Tensor, x: Tensor, y: Tensor, offsets: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
    """Return values at offsets from pixels, each of shape (B, K). Those outside of the map are arbitrary."""
    height, width = maps.shape[2:]
    index = torch.stack([(y + dy) * width + x + dx for dx, dy in offsets], 2)
    return maps.flatten(2).gather(2, index.clamp(0, height * width - 1)).unbind(2)


def _gather_joined(maps: Tensor, x: Tensor, y: Tensor, offsets: Sequence[tuple[int, int]]) -> tuple[Tensor, ...]:
    """Return values at offsets from pixels, each of shape (B, K).

    Values before the first pixel come from the previous map of the image, or from the last one, because mmpose joins
    them. They occur at missing keypoints.
    """
    number, height, width = maps.shape[1:]
    pixels = height * width
    first = torch.arange(number, device=maps.device) * pixels
    index = torch.stack([first + (y + dy) * width + x + dx for dx, dy in offsets], 2)
    index = torch.where(index < 0, index + number * pixels, index)
    return maps.flatten(1).gather(1, index.flatten(1)).unflatten(1, (number, len(offsets))).unbind(2)

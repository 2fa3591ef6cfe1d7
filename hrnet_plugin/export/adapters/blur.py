"""Gaussian blur of heat maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GaussianBlur(nn.Module):
    """Gaussian blur of heat maps that keeps the maximum of each, as in DARK. Pixels outside of the map are 0.

    Args:
        kernel_size: Odd size of the kernel.
    """

    kernel: Tensor

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        import cv2  # has its own tables for small kernels
        kernel = torch.from_numpy(cv2.getGaussianKernel(kernel_size, 0, cv2.CV_32F)).reshape(1, 1, 1, -1)
        self.register_buffer('kernel', kernel, persistent=False)
        self.padding = kernel_size // 2

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Convolve heat maps of shape (B, K, H, W), and scale each to its former maximum."""
        maps = heatmaps.flatten(0, 1)[:, None]
        maps = F.conv2d(maps, self.kernel, padding=(0, self.padding))
        maps = F.conv2d(maps, self.kernel.transpose(2, 3), padding=(self.padding, 0))
        blurred = maps.view(heatmaps.shape)
        maxima = _maxima(blurred)
        # mmpose returns NaN for empty heat maps
        return blurred * (_maxima(heatmaps) / torch.where(maxima == 0, torch.ones_like(maxima), maxima))


def _maxima(heatmaps: Tensor) -> Tensor:
    return torch.amax(heatmaps, (2, 3), keepdim=True)

"""Label maps in pixels of the image, from the logits of exported segmentation models."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from hrnet_plugin.prediction.metadata import Sliding


def resize_logits(logits: Tensor, size: tuple[int, int], align_corners: bool) -> Tensor:
    """Resize logits of shape (B, classes, h, w) bilinearly."""
    return F.interpolate(logits, size, mode='bilinear', align_corners=align_corners)


def logits_to_labels(logits: Tensor, threshold: float) -> NDArray[np.int64]:
    """Return the label of each pixel.

    Args:
        logits: Logits, shape (B, classes, H, W).
        threshold: Minimum probability of label 1 if there is only one class.
    """
    labels = logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0].sigmoid() > threshold).long()
    return labels.numpy()


def slide(predict: Callable[[NDArray[np.float32]], Tensor], images: NDArray[np.float32], sliding: Sliding,
          align_corners: bool) -> Tensor:
    """Return the mean logits of overlapping windows, as mmseg does.

    Args:
        predict: Function that returns the logits of crops.
        images: Images, shape (B, C, H, W).
        sliding: Size and stride of the windows.
        align_corners: Interpolation of the logits to the size of the windows.

    Returns:
        Logits, shape (B, classes, H, W).
    """
    total = torch.zeros(())
    counts = torch.zeros(1, 1, *images.shape[2:])
    for rows in _windows(images.shape[2], sliding.crop_size[0], sliding.stride[0]):
        for columns in _windows(images.shape[3], sliding.crop_size[1], sliding.stride[1]):
            crops = np.ascontiguousarray(images[:, :, rows, columns])
            logits = resize_logits(predict(crops), (crops.shape[2], crops.shape[3]), align_corners)
            if not total.dim():  # before the first window, the number of classes is unknown
                total = logits.new_zeros(*logits.shape[:2], *images.shape[2:])
            total[:, :, rows, columns] += logits
            counts[:, :, rows, columns] += 1
    return total / counts


def _windows(length: int, size: int, stride: int) -> Iterator[slice]:
    """Yield the windows along one axis. The last one ends at the border."""
    for index in range(max(length - size + stride - 1, 0) // stride + 1):
        end = min(index * stride + size, length)
        yield slice(max(end - size, 0), end)

"""Selection of candidates and detections with a constant number per image."""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor

from hrnet_plugin.export.operators import top_k

#: Outputs of detectors -> names of their dynamic axes.
DETECTION_OUTPUTS = MappingProxyType({name: {0: 'batch'} for name in ('boxes', 'scores', 'labels', 'counts')})


def flatten_maps(maps: Tensor, channels: int) -> Tensor:
    """Return feature maps of shape (B, A * channels, H, W) as rows of shape (B, H * W * A, channels)."""
    return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], -1, channels)


def gather_rows(tensor: Tensor, indices: Tensor) -> Tensor:
    """Return the rows of each image at indices.

    Args:
        tensor: Values, shape (B, N, ...).
        indices: Indices of rows in [0, N), shape (B, K).

    Returns:
        Values, shape (B, K, ...).
    """
    offsets = torch.arange(tensor.shape[0], device=tensor.device) * tensor.shape[1]
    # one index tensor becomes a Gather, which copies whole rows
    return tensor.flatten(0, 1)[indices + offsets[:, None]]


def select_detections(boxes: Tensor, scores: Tensor, labels: Tensor, number: int
                      ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the detections of highest score, padded by zeros.

    Args:
        boxes: Boxes (x1, y1, x2, y2), shape (B, N, 4).
        scores: Scores, shape (B, N). Negative ones are no detections.
        labels: Labels, shape (B, N).
        number: Number of detections per image, the D below.

    Returns:
        Boxes of shape (B, D, 4), scores and labels of shape (B, D), and counts of detections of shape (B, ). Scores
        are in descending order.
    """
    scores, indices = top_k(scores, number)
    exists = scores >= 0
    boxes = gather_rows(boxes, indices) * exists[..., None]
    return boxes, scores.clamp(min=0), gather_rows(labels, indices) * exists, exists.sum(1)

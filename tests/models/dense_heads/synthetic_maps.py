"""Synthetic predictions with given keypoints, for an image of 160 x 120 pixels and stride 4."""

from __future__ import annotations

import torch

from hrnet_plugin.models.dense_heads.keypoints import KeypointMaps

CLASSES, HEIGHT, WIDTH = 3, 30, 40
META = dict(img_shape=(120, 160), ori_shape=(120, 160))


def logit(score):
    return torch.logit(torch.tensor(score)).item()


def keypoint_maps(*points, classes=CLASSES, height=HEIGHT, width=WIDTH, corners=True):
    """Return predictions for one image with the given keypoints.

    Args:
        points: Tuples of label, x, y, score and, optionally, embedding and offset (x, y). x and y are heatmap pixels.
        classes: Number of classes.
        height: Height of the heatmap.
        width: Width of the heatmap.
        corners: Whether to add embeddings.
    """
    heat = torch.full((1, classes, height, width), -torch.inf)
    offset, embedding = torch.zeros(1, 2, height, width), torch.zeros(1, 1, height, width)
    for label, x, y, score, *rest in points:
        heat[0, label, y, x] = logit(score)
        embedding[0, 0, y, x] = rest[0] if rest else 0
        offset[0, :, y, x] = torch.tensor(rest[1] if len(rest) > 1 else (0., 0.))
    return KeypointMaps(heat, offset, embedding if corners else None)


def batch_of(*maps):
    """Combine predictions for single images into a batch."""
    return KeypointMaps(*(None if parts[0] is None else torch.cat(parts) for parts in zip(*maps)))

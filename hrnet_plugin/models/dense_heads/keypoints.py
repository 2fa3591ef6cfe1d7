"""Keypoints: predicted feature maps, and selection of the best keypoints."""

from __future__ import annotations

from typing import NamedTuple

from mmdet.models.utils import get_local_maximum, get_topk_from_heatmap, transpose_and_gather_feat
from mmengine.model import bias_init_with_prob
from torch import Tensor, nn

from hrnet_plugin.models.dense_heads.pooling import KeypointPooling


class KeypointMaps(NamedTuple):
    """Predictions of the head for one keypoint type: top-left corner, bottom-right corner or center.

    Attributes:
        heat: Heatmap logits, shape ``(N, num_classes, H, W)``.
        offset: Offset from the integer location to the keypoint, x and y, in heatmap pixels, shape ``(N, 2, H, W)``.
        embedding: Associative embedding of corners, shape ``(N, 1, H, W)``. None for centers.
    """
    heat: Tensor
    offset: Tensor
    embedding: Tensor | None


def require_embedding(embedding: Tensor | None) -> Tensor:
    """Return ``embedding``, or raise ValueError if it is None."""
    if embedding is None:
        raise ValueError('embedding of corners must be a tensor, got None')
    return embedding


class Keypoints(NamedTuple):
    """Top-k keypoints of one type in each image of a batch, best first.

    Attributes:
        points: Coordinates x and y in heatmap pixels, shape ``(N, k, 2)``.
        scores: Scores in [0, 1], shape ``(N, k)``.
        labels: Class indices, shape ``(N, k)``.
        embeddings: Embeddings of corners, shape ``(N, k)``. None for centers.
    """
    points: Tensor
    scores: Tensor
    labels: Tensor
    embeddings: Tensor | None


class KeypointBranch(nn.Module):
    """Branch of the head for one keypoint type.

    Pooling is followed by predictors of heatmap, offsets and, for corners, embeddings. Each predictor is a 3x3
    convolution, ReLU and a 1x1 convolution.

    Args:
        pooling: Pooling module with ``channels`` input and output channels.
        channels: Channels of the input, and between the two convolutions.
        num_classes: Number of classes.
        with_embedding: Whether to predict embeddings, for corners.
    """

    def __init__(self, pooling: KeypointPooling, channels: int, num_classes: int, with_embedding: bool) -> None:
        super().__init__()
        self.pooling = pooling
        self.heat = _predictor(channels, num_classes)
        self.offset = _predictor(channels, 2)
        self.embedding = _predictor(channels, 1) if with_embedding else None

    def init_weights(self) -> None:
        """Initialize the heatmap bias to a probability of 0.1, as background pixels far outnumber keypoints."""
        nn.init.constant_(self.heat[-1].get_parameter('bias'), bias_init_with_prob(0.1))

    def forward(self, x: Tensor) -> KeypointMaps:
        """Map ``(N, channels, H, W)`` to predictions of the same height and width."""
        pooled = self.pooling(x)
        embedding = None if self.embedding is None else self.embedding(pooled)
        return KeypointMaps(self.heat(pooled), self.offset(pooled), embedding)


def _predictor(channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(channels, out_channels, 1))


def topk_keypoints(maps: KeypointMaps, k: int, kernel: int) -> Keypoints:
    """Return the ``k`` best local maxima of the heatmaps over all classes, with offsets added.

    Args:
        maps: Predictions for one keypoint type.
        k: Number of keypoints. The result has fewer if the heatmaps have fewer values.
        kernel: Kernel size of the heatmap NMS.
    """
    heat = get_local_maximum(maps.heat.float().sigmoid(), kernel)
    scores, cells, labels, ys, xs = get_topk_from_heatmap(heat, min(k, heat[0].numel()))
    points = _gather(maps.offset, cells)
    points[..., 0] += xs
    points[..., 1] += ys
    embeddings = None if maps.embedding is None else _gather(maps.embedding, cells)[..., 0]
    return Keypoints(points, scores, labels, embeddings)


def _gather(values: Tensor, cells: Tensor) -> Tensor:
    """Gather ``(N, k, C)`` values from ``(N, C, H, W)`` at ``(N, k)`` flat indices."""
    return transpose_and_gather_feat(values.float(), cells)

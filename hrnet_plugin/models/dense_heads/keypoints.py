"""Keypoints of one kind: their maps, and the best of them."""

from __future__ import annotations

from typing import NamedTuple

from mmdet.models.utils import get_local_maximum, get_topk_from_heatmap, transpose_and_gather_feat
from mmengine.model import bias_init_with_prob
from torch import Tensor, nn

from hrnet_plugin.models.dense_heads.pooling import KeypointPooling


class KeypointMaps(NamedTuple):
    """What the head predicts of one kind of keypoint.

    Attributes:
        heat: Logits of a keypoint of each class: ``(N, num_classes, H, W)``.
        offset: From a cell's corner to the keypoint, x and y, in cells: ``(N, 2, H, W)``.
        embedding: Alike in the corners of one object: ``(N, 1, H, W)``; None for centres.
    """
    heat: Tensor
    offset: Tensor
    embedding: Tensor | None


def corners_embedding(embedding: Tensor | None) -> Tensor:
    """The embedding of corners, which have one; ValueError for what has none."""
    if embedding is None:
        raise ValueError('corners must have an embedding, got None')
    return embedding


class Keypoints(NamedTuple):
    """The ``k`` best keypoints of one kind in each image of a batch, best first.

    Attributes:
        points: x and y in cells of the map: ``(N, k, 2)``.
        scores: Probabilities: ``(N, k)``.
        labels: Classes: ``(N, k)``.
        embeddings: ``(N, k)``; None for centres.
    """
    points: Tensor
    scores: Tensor
    labels: Tensor
    embeddings: Tensor | None


class KeypointBranch(nn.Module):
    """Pooling, then heat map, offsets and, for corners, embeddings, each by a 3x3 and a 1x1 convolution.

    Args:
        pooling: Of ``channels`` channels.
        channels: Channels of the input, and between the two convolutions.
        num_classes: Number of classes.
        embeds: Whether the keypoints are corners, which have embeddings.
    """

    def __init__(self, pooling: KeypointPooling, channels: int, num_classes: int, embeds: bool) -> None:
        super().__init__()
        self.pooling = pooling
        self.heat = _predictor(channels, num_classes)
        self.offset = _predictor(channels, 2)
        self.embedding = _predictor(channels, 1) if embeds else None

    def init_weights(self) -> None:
        """Let every cell begin with a probability of 0.1, so that the many empty ones do not drown the rest."""
        nn.init.constant_(self.heat[-1].get_parameter('bias'), bias_init_with_prob(0.1))

    def forward(self, x: Tensor) -> KeypointMaps:
        """Map ``(N, channels, H, W)`` to maps of the same size."""
        pooled = self.pooling(x)
        embedding = None if self.embedding is None else self.embedding(pooled)
        return KeypointMaps(self.heat(pooled), self.offset(pooled), embedding)


def _predictor(channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(channels, out_channels, 1))


def best_keypoints(maps: KeypointMaps, k: int, kernel: int) -> Keypoints:
    """The ``k`` best local maxima of the heat maps, all classes together, moved by their offsets.

    Args:
        maps: The head's maps.
        k: How many; fewer where the maps have fewer values.
        kernel: Side of the square within which a keypoint has to be the best one.
    """
    heat = get_local_maximum(maps.heat.float().sigmoid(), kernel)
    scores, cells, labels, ys, xs = get_topk_from_heatmap(heat, min(k, heat[0].numel()))
    points = _gathered(maps.offset, cells)
    points[..., 0] += xs
    points[..., 1] += ys
    embeddings = None if maps.embedding is None else _gathered(maps.embedding, cells)[..., 0]
    return Keypoints(points, scores, labels, embeddings)


def _gathered(values: Tensor, cells: Tensor) -> Tensor:
    """``(N, C, H, W)`` at ``(N, k)`` cells: ``(N, k, C)``."""
    return transpose_and_gather_feat(values.float(), cells)

"""Candidate boxes from corner pairs, filtered by center keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmcv.ops import batched_nms
from mmdet.structures.bbox import bbox_flip
from mmengine.structures import InstanceData
from torch import Tensor

from hrnet_plugin.models.dense_heads.central_region import CentralRegion
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig
from hrnet_plugin.models.dense_heads.keypoints import Keypoints, require_embedding
from hrnet_plugin.models.dense_heads.map_to_image import MapToImage


@dataclass(frozen=True)
class Candidates:
    """Corner pairs and center keypoints of an image, in pixels of the original image.

    Args:
        boxes: Boxes of corner pairs, x1, y1, x2, y2, shape ``(P, 4)``.
        scores: Mean of the scores of both corners, shape ``(P, )``.
        labels: Class indices of the boxes, shape ``(P, )``.
        centers: Center keypoints, x and y, shape ``(C, 2)``.
        center_scores: Scores of the center keypoints, shape ``(C, )``.
        center_labels: Class indices of the center keypoints, shape ``(C, )``.
    """
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    centers: Tensor
    center_scores: Tensor
    center_labels: Tensor

    def filter_by_centers(self, region: CentralRegion) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes, scores and labels of corner pairs with a center keypoint of their class in ``region``.

        The score is the mean of the three keypoints. If the region contains several center keypoints, the best one is
        used.
        """
        matches = (self.labels[:, None] == self.center_labels) & region.contains(self.boxes, self.centers)
        best = (matches * self.center_scores).amax(1)
        kept = best > 0
        return self.boxes[kept], (2 * self.scores[kept] + best[kept]) / 3, self.labels[kept]

    def decode(self, config: DecodeConfig) -> InstanceData:
        """Return detections with ``bboxes``, ``scores`` and ``labels``, best first."""
        region = config.central_region
        boxes, scores, labels = self.boxes, self.scores, self.labels
        if region is not None:
            boxes, scores, labels = self.filter_by_centers(region)
        if len(boxes):
            kept, order = batched_nms(boxes, scores, labels, config.nms)
            boxes, scores, labels = kept[:, :4], kept[:, 4], labels[order]
        most = config.max_per_img
        return InstanceData(bboxes=boxes[:most], scores=scores[:most], labels=labels[:most])

    def flip(self, shape: Sequence[int], direction: str) -> Candidates:
        """Return the candidates of the flipped image.

        Args:
            shape: Height and width of the image.
            direction: 'horizontal', 'vertical' or 'diagonal'.
        """
        centers = bbox_flip(self.centers.repeat(1, 2), shape, direction)[:, :2]
        return Candidates(bbox_flip(self.boxes, shape, direction), self.scores, self.labels, centers,
                          self.center_scores, self.center_labels)


def combine(pairs: Sequence[Candidates], centers: Sequence[Candidates]) -> Candidates:
    """Return the corner pairs of the views in ``pairs`` with the center keypoints of the views in ``centers``."""

    def concatenate(views: Sequence[Candidates], *names: str) -> dict[str, Tensor]:
        return {name: torch.cat([getattr(view, name) for view in views]) for name in names}

    return Candidates(**concatenate(pairs, 'boxes', 'scores', 'labels'),
                      **concatenate(centers, 'centers', 'center_scores', 'center_labels'))


def find_candidates(top_left: Keypoints, bottom_right: Keypoints, center: Keypoints, transforms: Sequence[MapToImage],
                    config: DecodeConfig) -> list[Candidates]:
    """Return the candidates of each image in a batch.

    A corner pair consists of a top-left and a bottom-right corner of the same class, in this order. Their embeddings
    differ by at most ``distance_threshold``.

    Args:
        top_left: Top-left corners of the batch.
        bottom_right: Bottom-right corners of the batch.
        center: Center keypoints of the batch.
        transforms: Coordinate transform of each image.
        config: Decoding options.
    """
    boxes, scores, labels = _pair_corners(top_left, bottom_right, config)
    candidates = []
    for i, transform in enumerate(transforms):
        corners, inside = transform(boxes[i])
        kept = (scores[i] >= 0) & inside.all(1)
        centers, _ = transform(center.points[i])
        candidates.append(Candidates(corners[kept].flatten(1), scores[i][kept], labels[i][kept], centers,
                                     center.scores[i], center.labels[i]))
    return candidates


def _pair_corners(top_left: Keypoints, bottom_right: Keypoints, config: DecodeConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best corner pairs.

    Returns:
        Both corners in heatmap coordinates ``(N, P, 2, 2)``, scores ``(N, P)``, -1 for invalid pairs, and labels
        ``(N, P)``.
    """
    first, second = require_embedding(top_left.embeddings), require_embedding(bottom_right.embeddings)
    near = (_rows(first) - _columns(second)).abs() <= config.distance_threshold
    same = _rows(top_left.labels) == _columns(bottom_right.labels)
    ordered = (_rows(top_left.points) < _columns(bottom_right.points)).all(3)
    # keypoints of score 0 are not local maxima: they fill up top-k
    exist = _rows(top_left.scores > 0) & _columns(bottom_right.scores > 0)
    scores = (_rows(top_left.scores) + _columns(bottom_right.scores)) / 2
    scores = scores.masked_fill(~(near & same & ordered & exist), -1)
    number = scores.size(2)
    best, pairs = scores.flatten(1).topk(min(config.max_pairs, scores[0].numel()))
    one, other = pairs // number, pairs % number
    corners = [keypoints.points.gather(1, which[..., None].expand(-1, -1, 2))
               for keypoints, which in ((top_left, one), (bottom_right, other))]
    return torch.stack(corners, 2), best, top_left.labels.gather(1, one)


def _rows(values: Tensor) -> Tensor:
    return values[:, :, None]


def _columns(values: Tensor) -> Tensor:
    return values[:, None]

"""Boxes that pairs of corners propose, and the centres that confirm them."""

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
from hrnet_plugin.models.dense_heads.keypoints import Keypoints, corners_embedding
from hrnet_plugin.models.dense_heads.placement import Placement


@dataclass(frozen=True)
class Candidates:
    """Of one image, in pixels of the original one.

    Args:
        boxes: x1, y1, x2, y2 of pairs of corners: ``(P, 4)``.
        scores: Mean of the two corners' scores: ``(P, )``.
        labels: ``(P, )``.
        centers: x and y: ``(C, 2)``.
        center_scores: ``(C, )``.
        center_labels: ``(C, )``.
    """
    boxes: Tensor
    scores: Tensor
    labels: Tensor
    centers: Tensor
    center_scores: Tensor
    center_labels: Tensor

    def confirmed(self, region: CentralRegion) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and labels of pairs that have a centre of their class in their region.

        The score is the mean of the three keypoints'; where several centres confirm a pair, the best one counts.
        """
        fits = (self.labels[:, None] == self.center_labels) & region.holds(self.boxes, self.centers)
        best = (fits * self.center_scores).amax(1)
        kept = best > 0
        return self.boxes[kept], (2 * self.scores[kept] + best[kept]) / 3, self.labels[kept]

    def detections(self, config: DecodeConfig) -> InstanceData:
        """The image's detections, best first: ``bboxes``, ``scores`` and ``labels``."""
        region = config.central_region
        boxes, scores, labels = (self.boxes, self.scores, self.labels) if region is None else self.confirmed(region)
        if len(boxes):
            kept, order = batched_nms(boxes, scores, labels, config.nms)
            boxes, scores, labels = kept[:, :4], kept[:, 4], labels[order]
        most = config.max_per_img
        return InstanceData(bboxes=boxes[:most], scores=scores[:most], labels=labels[:most])

    def flipped(self, shape: Sequence[int], direction: str) -> Candidates:
        """Those of the mirror image; ``shape`` is the image's height and width, ``direction`` one of mmdet's."""
        centers = bbox_flip(self.centers.repeat(1, 2), shape, direction)[:, :2]
        return Candidates(bbox_flip(self.boxes, shape, direction), self.scores, self.labels, centers,
                          self.center_scores, self.center_labels)


def joined(pairs: Sequence[Candidates], centers: Sequence[Candidates]) -> Candidates:
    """The pairs of some views of an image with the centres of the same or other views."""

    def of(views: Sequence[Candidates], *names: str) -> dict[str, Tensor]:
        return {name: torch.cat([getattr(view, name) for view in views]) for name in names}

    return Candidates(**of(pairs, 'boxes', 'scores', 'labels'),
                      **of(centers, 'centers', 'center_scores', 'center_labels'))


def find_candidates(top_left: Keypoints, bottom_right: Keypoints, center: Keypoints, placements: Sequence[Placement],
                    config: DecodeConfig) -> list[Candidates]:
    """Candidates of each image of a batch, from its best keypoints.

    The corners of a pair have one class and embeddings that differ by ``distance_threshold`` at most, and one is above
    and to the left of the other.
    """
    boxes, scores, labels = _pairs(top_left, bottom_right, config)
    found = []
    for i, placement in enumerate(placements):
        corners, inside = placement(boxes[i])
        kept = (scores[i] >= 0) & inside.all(1)
        centers, _ = placement(center.points[i])
        found.append(Candidates(corners[kept].flatten(1), scores[i][kept], labels[i][kept], centers, center.scores[i],
                                center.labels[i]))
    return found


def _pairs(top_left: Keypoints, bottom_right: Keypoints, config: DecodeConfig) -> tuple[Tensor, Tensor, Tensor]:
    """The best pairs: both corners ``(N, P, 2, 2)`` in cells, scores, -1 for what is no pair, and labels ``(N, P)``."""
    first, second = corners_embedding(top_left.embeddings), corners_embedding(bottom_right.embeddings)
    near = (_rows(first) - _columns(second)).abs() <= config.distance_threshold
    same = _rows(top_left.labels) == _columns(bottom_right.labels)
    ordered = (_rows(top_left.points) < _columns(bottom_right.points)).all(3)
    # where a map has fewer maxima than are asked for, the rest are values that were suppressed
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

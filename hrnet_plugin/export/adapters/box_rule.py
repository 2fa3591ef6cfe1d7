"""Selection of detections by RoI heads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.boxes import check_coder
from hrnet_plugin.export.adapters.selection import select_detections
from hrnet_plugin.export.adapters.suppression import NMSSettings, read_nms, suppress


@dataclass(frozen=True, kw_only=True)
class BoxRule:
    """Selection of detections by a RoI head.

    Attributes:
        threshold: Only boxes with greater scores are kept.
        nms: Settings of NMS.
        number: Maximum number of detections per image, the D below.
    """

    threshold: float
    nms: NMSSettings
    number: int

    @classmethod
    def read(cls, heads: Sequence[Any], cfg: Mapping[str, Any], proposals: int) -> BoxRule:
        """Return the rule in the test_cfg of a RoI head.

        Args:
            heads: BBoxHead of each stage.
            cfg: test_cfg of the RoI head.
            proposals: Number of proposals per image.

        Raises:
            UnsupportedModel: If the export does not support a head or an entry of test_cfg.
        """
        for head in heads:
            _check_head(head)
        if cfg['max_per_img'] <= 0:
            raise UnsupportedModel(f'test_cfg.rcnn.max_per_img must be positive, got {cfg["max_per_img"]}. '
                                   'Outputs have this size')
        threshold = float(cfg['score_thr'])
        if threshold < 0:
            raise UnsupportedModel(f'test_cfg.rcnn.score_thr must be at least 0, got {threshold}. Set it to 0')
        classes = heads[-1].num_classes
        if threshold:  # the scores of a proposal have a sum of 1
            classes = min(classes, math.ceil(1 / threshold))
        nms = read_nms(cfg['nms'], proposals * classes)
        if nms is None:
            raise UnsupportedModel('test_cfg.rcnn.nms must be a dict, got None. Add it to the config')
        return cls(threshold=threshold, nms=nms, number=cfg['max_per_img'])

    def select(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Select detections.

        Args:
            boxes: Boxes (x1, y1, x2, y2) of each class, shape (B, N, C, 4), or of all classes, shape (B, N, 1, 4).
            scores: Scores, shape (B, N, C).

        Returns:
            Boxes of shape (B, D, 4), scores and labels of shape (B, D), and counts of detections of shape (B, ).
        """
        labels = torch.arange(scores.shape[2], device=scores.device).expand_as(scores).flatten(1)
        boxes = boxes.expand(-1, -1, scores.shape[2], -1).flatten(1, 2)
        scores = torch.where(scores > self.threshold, scores, -1.).flatten(1)
        scores = suppress(boxes, scores, labels, self.nms, self.number)
        return select_detections(boxes, scores, labels, self.number)


def _check_head(head: Any) -> None:
    """Check the coder and the activation of a BBoxHead."""
    check_coder(head.bbox_coder)
    if head.custom_cls_channels or head.custom_activation:
        raise UnsupportedModel('bbox_head.loss_cls must have softmax scores, got '
                               f'{type(head.loss_cls).__name__}. Export the network by --part network')
    if not (head.with_cls and head.with_reg):
        raise UnsupportedModel('bbox_head must have with_cls=True and with_reg=True, got '
                               f'{head.with_cls} and {head.with_reg}. Export the network by --part network')

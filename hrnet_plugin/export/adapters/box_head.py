"""Box heads of two-stage detectors, with one stage or a cascade of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.boxes import decode_boxes
from hrnet_plugin.export.adapters.rois import RoIPooling, RoIs, pad_rois, select_rois


def predict_boxes(heads: Sequence[Any], poolings: Sequence[RoIPooling], feats: Sequence[Tensor], proposals: Tensor,
                  is_valid: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Predict boxes and scores of proposals.

    Args:
        heads: BBoxHead of each stage.
        poolings: RoI features of each stage.
        feats: Feature maps of the pyramid, each of shape (B, C, H, W).
        proposals: Boxes (x1, y1, x2, y2) in pixels, shape (B, N, 4).
        is_valid: Mask of the proposals that are no padding, shape (B, N).
        size: Height and width of the images.

    Returns:
        Boxes, shape (B, N, 1, 4), or (B, N, classes, 4) if the last head predicts boxes per class. Scores, shape
        (B, N, classes), -1 for padding.
    """
    order, logits, deltas = _run_stage(heads[0], poolings[0], feats, rois := select_rois(proposals, is_valid))
    rois, total = rois.reorder(order), logits
    for previous, head, pooling in zip(heads, heads[1:], poolings[1:]):
        rois = _refine(previous, rois, logits, deltas, size)
        order, logits, deltas = _run_stage(head, pooling, feats, rois)
        rois, total = rois.reorder(order), total[order] + logits
    scores = (total / len(heads)).softmax(-1)[:, :-1]
    boxes = decode_boxes(heads[-1].bbox_coder, rois.boxes[:, None, 1:], deltas.unflatten(1, (-1, 4)), size)
    return pad_rois(boxes, rois, proposals), pad_rois(scores, rois, proposals, -1.)


def _run_stage(head: Any, pooling: RoIPooling, feats: Sequence[Tensor], rois: RoIs) -> tuple[Tensor, Tensor, Tensor]:
    """Return the order in which a stage predicts RoIs, and their class logits and encoded boxes."""
    features, order = pooling(feats, rois)
    logits, deltas = head(features)
    return order, logits, deltas


def _refine(head: Any, rois: RoIs, logits: Tensor, deltas: Tensor, size: tuple[int, int]) -> RoIs:
    """Return the RoIs that a stage predicts: the boxes of the class with the highest score.

    Args:
        head: BBoxHead of the stage.
        rois: RoIs of the stage.
        logits: Class logits with the background last, shape (R, classes + 1).
        deltas: Encoded boxes, shape (R, 4) or (R, classes * 4).
        size: Height and width of the images.
    """
    if not head.reg_class_agnostic:
        labels = logits[:, :-1].argmax(1)
        starts = torch.arange(labels.shape[0], device=labels.device) * head.num_classes
        deltas = deltas.reshape(-1, 4)[starts + labels]
    boxes = decode_boxes(head.bbox_coder, rois.boxes[:, 1:], deltas, size)
    return RoIs(torch.cat([rois.boxes[:, :1], boxes], 1), rois.slots)

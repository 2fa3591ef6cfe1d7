"""NMS with the settings and the rounding of mmcv's batched NMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.operators import nms

_KEYS = {'type', 'iou_threshold', 'iou_thr', 'class_agnostic', 'score_threshold', 'max_num', 'split_thr', 'offset'}
# between the score of missing boxes and the lowest score of others
_EXISTS = -0.5


@dataclass(frozen=True, kw_only=True)
class NMSSettings:
    """Settings of NMS.

    Attributes:
        iou_threshold: A box is suppressed if its IoU with a box of higher score is greater.
        class_agnostic: Whether boxes of different labels suppress each other.
        score_threshold: Only boxes with greater scores are kept, if positive.
    """

    iou_threshold: float
    class_agnostic: bool
    score_threshold: float


def read_nms(cfg: Mapping[str, Any] | None, max_candidates: int | None = None) -> NMSSettings | None:
    """Return the settings of an entry ``nms`` of test_cfg, or None without NMS.

    Args:
        cfg: Entry of test_cfg.
        max_candidates: Maximum number of boxes before NMS, or None if not limited.

    Raises:
        UnsupportedModel: If the export does not support them.
    """
    if cfg is None:
        return None
    _check_nms(cfg)
    agnostic = bool(cfg.get('class_agnostic', False))
    split = cfg.get('split_thr', 10000)
    if agnostic and (max_candidates is None or max_candidates >= split):  # mmcv suppresses such numbers per class
        raise UnsupportedModel(f'nms.class_agnostic needs fewer than {split} boxes before NMS, got '
                               f'{max_candidates or "any number"}. Lower test_cfg.nms_pre')
    return NMSSettings(iou_threshold=float(cfg.get('iou_threshold', cfg.get('iou_thr'))), class_agnostic=agnostic,
                       score_threshold=float(cfg.get('score_threshold', 0)))


def _check_nms(cfg: Mapping[str, Any]) -> None:
    if cfg.get('type', 'nms') != 'nms':
        raise UnsupportedModel(f'nms.type must be nms, got {cfg["type"]}. Change test_cfg, or export the network by '
                               '--part network')
    if unknown := sorted(set(cfg) - _KEYS):
        raise UnsupportedModel(f'nms must have entries of {", ".join(sorted(_KEYS))}, got {unknown[0]}. Remove it')
    if cfg.get('offset', 0) != 0:
        raise UnsupportedModel(f'nms.offset must be 0, got {cfg["offset"]}. Remove it')
    if cfg.get('max_num', -1) > 0:
        raise UnsupportedModel(f'nms.max_num must be -1, got {cfg["max_num"]}. Set test_cfg.max_per_img instead')
    if cfg.get('iou_threshold', cfg.get('iou_thr')) is None:
        raise UnsupportedModel('nms.iou_threshold must be a number, got nothing. Add it to test_cfg')


def suppress(boxes: Tensor, scores: Tensor, groups: Tensor, settings: NMSSettings, max_boxes: int) -> Tensor:
    """Return the scores after NMS within groups, with -1 for suppressed boxes.

    Args:
        boxes: Boxes (x1, y1, x2, y2), shape (B, N, 4).
        scores: Scores, shape (B, N). Negative ones are missing boxes.
        groups: Label, or level of the pyramid, of each box, shape (B, N).
        settings: Settings of NMS.
        max_boxes: Number of boxes that the caller keeps per image.

    Returns:
        Scores, shape (B, N).
    """
    if settings.score_threshold > 0:
        scores = torch.where(scores > settings.score_threshold, scores, -1.)
    if not settings.class_agnostic:  # mmcv's offsets: their rounding can decide about a box
        largest = (boxes * (scores >= 0)[..., None]).amax((1, 2))
        boxes = boxes + (groups * (largest[:, None] + 1))[..., None]
    # one problem per image, which ends after the number of boxes to keep
    return nms(boxes, scores[:, None], settings.iou_threshold, _EXISTS, max_boxes)[:, 0]

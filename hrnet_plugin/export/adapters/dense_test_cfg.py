"""Entries of test_cfg of dense heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.suppression import NMSSettings, read_nms


@dataclass(frozen=True, kw_only=True)
class DenseTestCfg:
    """Settings of the prediction of a dense head.

    Attributes:
        score_threshold: Only candidates with greater scores, without score factors, are selected.
        max_candidates: Maximum number of candidates per image and level, or None for all.
        min_size: Only boxes with greater width and height are kept, or None to keep all.
        nms: Settings of NMS, or None without NMS.
        max_per_img: Maximum number of detections per image.
    """

    score_threshold: float
    max_candidates: int | None
    min_size: float | None
    nms: NMSSettings | None
    max_per_img: int

    @classmethod
    def read(cls, cfg: Mapping[str, Any] | None, levels: int) -> DenseTestCfg:
        """Read a test_cfg.

        Args:
            cfg: Entries.
            levels: Number of levels of the pyramid.

        Raises:
            UnsupportedModel: If the export does not support an entry.
        """
        cfg = cfg or {}
        _check_numbers(cfg)
        max_candidates = cfg.get('nms_pre', -1)
        min_size = cfg.get('min_bbox_size', -1)
        return cls(score_threshold=float(cfg.get('score_thr', 0)),
                   max_candidates=max_candidates if max_candidates > 0 else None,
                   min_size=float(min_size) if min_size >= 0 else None,
                   nms=read_nms(cfg['nms'], max_candidates * levels if max_candidates > 0 else None),
                   max_per_img=cfg['max_per_img'])


def _check_numbers(cfg: Mapping[str, Any]) -> None:
    """Check all entries except ``nms``."""
    if missing := [name for name in ('nms', 'max_per_img') if name not in cfg]:
        raise UnsupportedModel(f'test_cfg must have {missing[0]}, got none. Add it to the config')
    if cfg['max_per_img'] <= 0:
        raise UnsupportedModel(f'test_cfg.max_per_img must be positive, got {cfg["max_per_img"]}. '
                               'Outputs have this size')
    nms_pre, min_size, threshold = cfg.get('nms_pre', -1), cfg.get('min_bbox_size', -1), cfg.get('score_thr', 0)
    if nms_pre == 0 or nms_pre < -1:
        raise UnsupportedModel(f'test_cfg.nms_pre must be positive, or -1 for all, got {nms_pre}. Set it to 1000')
    if min_size > 0:  # mmdet compares it with boxes in the original image, whose size the model does not know
        raise UnsupportedModel(f'test_cfg.min_bbox_size must be at most 0, got {min_size}. '
                               'It is in pixels of images before the resizing')
    if threshold < 0:
        raise UnsupportedModel(f'test_cfg.score_thr must be at least 0, got {threshold}. Set it to 0')

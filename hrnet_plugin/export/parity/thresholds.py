"""Detectors with lower score thresholds, for images without detections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from mmengine.model import BaseModel

#: Lower score threshold.
LOWERED = 1e-3


def lower_thresholds(model: BaseModel) -> BaseModel:
    """Return a copy of a detector with lower score thresholds.

    Args:
        model: Detector of mmdet.
    """
    model = deepcopy(model)
    for part in model.modules():
        for config in _find_thresholds(getattr(part, 'test_cfg', None)):
            config['score_thr'] = min(config['score_thr'], LOWERED)
    return model


def _find_thresholds(config: Any) -> Iterator[Any]:
    """Yield the entries of a ``test_cfg`` with a score threshold."""
    if isinstance(config, Mapping):
        if isinstance(config.get('score_thr'), (int, float)):
            yield config
        for entry in config.values():
            yield from _find_thresholds(entry)

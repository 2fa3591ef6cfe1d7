"""Detections as files for COCO's server have them: boxes or masks, each under a key of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SHAPES = {'bbox': 'bbox', 'segm': 'segmentation'}  # kind, as the COCO API calls it -> the key of its shape


def kind_of(detection: Mapping[str, Any]) -> str:
    """'segm' of a detection with a mask, which may have a box, too; 'bbox' of any other."""
    return 'segm' if SHAPES['segm'] in detection else 'bbox'


def only(kind: str, detection: Mapping[str, Any]) -> dict[str, Any]:
    """A detection without the other kind's shape: with both, the API takes a mask's size to be its box's."""
    others = {shape for name, shape in SHAPES.items() if name != kind}
    return {key: value for key, value in detection.items() if key not in others}

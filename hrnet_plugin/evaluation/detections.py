"""Detections in COCO's results format: boxes, masks or keypoints."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Container
from typing import Any

from hrnet_plugin.json_types import Json, JsonObject

# iouType of the COCO API -> key of the box, mask or keypoints in a detection
SHAPES = {'bbox': 'bbox', 'segm': 'segmentation', 'keypoints': 'keypoints'}

_SHOWN = 60  # characters of a value in a message
_REPR = reprlib.Repr()  # repr() fails on deep nesting and does not limit its length
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 4, 12, 12, 12
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _SHOWN


def short(value: Any) -> str:
    """Return a representation of a value with at most 60 characters, for error messages."""
    text = _REPR.repr(value)
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN - 3]}...'


def kind_of(detection: JsonObject) -> str:
    """Return 'segm' for a detection with a mask, with or without a box, and 'bbox' for any other."""
    return 'segm' if SHAPES['segm'] in detection else 'bbox'


def keep_shape(kind: str, detection: JsonObject) -> dict[str, Json]:
    """Remove the box of a mask detection, or the mask of a box detection.

    With both, the COCO API takes the area of a mask from its box.

    Args:
        kind: 'bbox' or 'segm', the shape to keep.
        detection: Detection in COCO's results format.
    """
    return {key: value for key, value in detection.items() if key == SHAPES[kind] or key not in SHAPES.values()}


def is_known_id(value: Json, known: Container[int | str]) -> bool:
    """Return True if a JSON value is an ID in ``known`` and of its type. 1, 1.0, True and '1' are different IDs."""
    return type(value) in (int, str) and value in known


def is_finite_number(value: Json) -> bool:
    """Return True if a JSON value is a number that is finite as a float, and no bool."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False

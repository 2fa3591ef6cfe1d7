"""Detections in COCO's results format: boxes, masks or keypoints."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Container
from typing import Any

from hrnet_plugin.json_types import Json, JsonObject

# iouType of the COCO API -> key of the box, mask or keypoints in a detection
SHAPES = {'bbox': 'bbox', 'segm': 'segmentation', 'keypoints': 'keypoints'}
#: Keys of a detection of any kind.
REQUIRED = ('image_id', 'category_id', 'score')

_SHOWN = 60  # characters of a value in a message
_REPR = reprlib.Repr()  # repr() fails on deep nesting and does not limit its length
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 4, 12, 12, 12
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _SHOWN


def short(value: Any) -> str:
    """Return a representation of a value with at most 60 characters, for error messages."""
    text = _REPR.repr(value)
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN - 3]}...'


def kind_of(detection: JsonObject) -> str:
    """Return the kind of a detection: 'keypoints' or 'segm', with or without a box, and 'bbox' for any other."""
    return next((kind for kind in reversed(SHAPES) if SHAPES[kind] in detection), 'bbox')


def keep_shape(kind: str, detection: JsonObject) -> dict[str, Json]:
    """Keep only the keys of COCO's results format for one kind.

    Others change the evaluation. With a box, the COCO API takes the area of a mask or a person from the box.

    Args:
        kind: 'bbox', 'segm' or 'keypoints'.
        detection: Detection in COCO's results format.
    """
    return {key: value for key, value in detection.items() if key in REQUIRED or key == SHAPES[kind]}


def is_known_id(value: Json, known: Container[int | str]) -> bool:
    """Return True if a JSON value is an ID in ``known`` and of its type. 1, 1.0, True and '1' are different IDs."""
    return type(value) in (int, str) and value in known


def is_finite_number(value: Json) -> bool:
    """Return True if a JSON value is a number that is finite as a float, and no bool."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def is_count(value: Json) -> bool:
    """Return True for an integer of at least 0 that is exact in JavaScript, too."""
    return type(value) is int and 0 <= value < 2**53

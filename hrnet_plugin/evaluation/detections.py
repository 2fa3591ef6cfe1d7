"""Detections as files for COCO's server have them: boxes or masks, each under a key of its own."""

from __future__ import annotations

import math
import reprlib
from typing import Any

from hrnet_plugin.json_types import Json, JsonObject

SHAPES = {'bbox': 'bbox', 'segm': 'segmentation'}  # kind, as the COCO API calls it -> the key of its shape

_SHOWN = 60  # characters of a value in a message
_REPR = reprlib.Repr()  # repr() fails on deep nesting, and is as long as the value
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 4, 12, 12, 12
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = _SHOWN


def short(value: Any) -> str:
    """Return a representation of a value with at most 60 characters, for error messages."""
    text = _REPR.repr(value)
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN - 3]}...'


def kind_of(detection: JsonObject) -> str:
    """'segm' of a detection with a mask, which may have a box, too; 'bbox' of any other."""
    return 'segm' if SHAPES['segm'] in detection else 'bbox'


def only(kind: str, detection: JsonObject) -> dict[str, Json]:
    """A detection without the other kind's shape: with both, the API takes a mask's size to be its box's."""
    return {key: value for key, value in detection.items() if key == SHAPES[kind] or key not in SHAPES.values()}


def is_finite_number(value: Json) -> bool:
    """Whether this is a number of JSON with which floating point can compute."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False

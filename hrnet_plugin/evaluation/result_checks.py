"""Checks of detections in COCO's results format, for evaluations and submissions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hrnet_plugin.evaluation.coco_keypoints import keypoints_error
from hrnet_plugin.evaluation.detections import REQUIRED, SHAPES, is_finite_number, is_known_id, short
from hrnet_plugin.evaluation.rle import rle_error
from hrnet_plugin.json_types import Json

_WORDS = {'bbox': 'boxes', 'segm': 'masks', 'keypoints': 'keypoints'}


class ResultChecker:
    """Check of detections of one kind.

    Args:
        kind: 'bbox', 'segm' or 'keypoints'.
        images: Image ID -> height and width in pixels. For other kinds than 'segm', the values are not used.
        categories: Category IDs.
        keypoints: Category ID -> number of keypoints. For 'keypoints' only.
        where: Description of the images in messages, e.g. 'in the annotations'.
        evaluated: Description of the categories. Default: ``where``.
    """

    def __init__(self, kind: str, *, images: Mapping[Any, Any], categories: Collection[Any],
                 keypoints: Mapping[Any, int], where: str, evaluated: str = '') -> None:
        self._kind = kind
        self._keys = (*REQUIRED, SHAPES[kind])
        self._images = images
        self._keypoints = keypoints
        self._known = (('image_id', images, where), ('category_id', categories, evaluated or where))

    def error(self, detection: Any) -> str:
        """Return an error message for an invalid detection, or an empty string."""
        if not isinstance(detection, Mapping):
            return f'must be an object, got {short(detection)}'
        for key in self._keys:
            if key not in detection:
                return f'must have {key} for an evaluation of {_WORDS[self._kind]}, got {short(sorted(detection))}'
        for name, known, words in self._known:
            if not is_known_id(detection[name], known):
                return f'{name} must be {words}, got {short(detection[name])}{_hint(name, detection[name], known)}'
        if not is_finite_number(detection['score']):
            return f'score must be a finite number, got {short(detection["score"])}'
        return self._shape_error(detection)

    def _shape_error(self, detection: Mapping[str, Any]) -> str:
        shape = detection[self._keys[-1]]
        if self._kind == 'bbox':
            return box_error(shape)
        if self._kind == 'keypoints':
            return keypoints_error(shape, self._keypoints[detection['category_id']])
        return rle_error(shape, *self._images[detection['image_id']])


def box_error(box: Any) -> str:
    """Return an error message for an invalid box, or an empty string."""
    if not isinstance(box, list) or len(box) != 4:  # the API rejects other sequences
        return f'bbox must be [x, y, width, height], got {short(box)}'
    if not all(map(is_finite_number, box)):
        return f'bbox must be four finite numbers, got {short(box)}'
    # two boxes of infinite area have an IoU of NaN, which the API takes for a match
    return '' if is_finite_number(box[2] * box[3]) else f'bbox must be a box of finite area, got {short(box)}'


def _hint(name: str, value: Json, known: Collection[Any]) -> str:
    """Return how to write an ID that the annotations have with another type, e.g. '1', '001' or 1.0 for 1."""
    written = str(short(value) if isinstance(value, (list, dict)) else value).removesuffix('.0')
    same = next((other for other in known if written in (str(other), str(other).zfill(len(written)))), None)
    if same is not None:
        return f'. Write {same!r}, as in the annotations.'
    if name == 'category_id' and type(value) is int and 0 <= value < len(known):
        return '. Convert labels, which are counted from 0, to COCO\'s category IDs'
    return ''

"""Error types of detections.

The types are those of TIDE (arXiv 2008.08115, section 2), with an IoU of 0.5 for foreground and 0.1 for background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from pycocotools import mask

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.json_types import JsonObject

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

FOREGROUND, BACKGROUND = 0.5, 0.1


@dataclass(frozen=True)
class Detections:
    """All detections and objects, one entry each per array."""
    category: Ints
    image: Ints
    score: Floats
    hit: Bools
    kind: Ints  # index in ERROR_TYPES, -1 for true positives
    target: Ints  # index of the object that the error refers to, -1 without
    objects: Floats  # (K, I): number of objects per class and image
    object_category: Ints
    object_image: Ints
    object_detected: Bools


def classify(evaluation: COCOeval) -> Detections:
    """Classify all detections of an evaluation that are not ignored."""
    images = [_classify_image(evaluation, place) for place in range(len(evaluation.params.imgIds))]
    numbers = [len(image.object_category) for image in images]
    # targets refer to the objects of their image, which follow those of all images before
    images = [replace(image, target=np.where(image.target < 0, -1, image.target + first))
              for image, first in zip(images, np.cumsum([0, *numbers]))]
    return Detections(**{each.name: np.concatenate([getattr(image, each.name) for image in images], axis=-1)
                         for each in fields(Detections)})


def _classify_image(evaluation: COCOeval, place: int) -> Detections:
    """Classify the detections of an image. Targets are indices of the objects of this image.

    Args:
        evaluation: Finished evaluation.
        place: Index of the image.
    """
    params, image = evaluation.params, evaluation.params.imgIds[place]
    place_of = {number: k for k, number in enumerate(params.catIds)}
    # not '_ignore', which the API leaves at the last area range
    truth = [a for k in params.catIds for a in evaluation._gts[image, k] if not a['ignore']]
    detected, matched, ignored = _detections(evaluation, place)
    category = np.array([place_of[d['category_id']] for d in detected], int)
    owner = np.array([place_of[a['category_id']] for a in truth], int)
    hit, counted = matched != 0, ~ignored
    kind, target = _error_types(_overlaps(detected, truth, params.iouType), category, owner, hit)
    return Detections(
        category=category[counted], image=np.full(counted.sum(), place), hit=hit[counted], kind=kind[counted],
        score=np.array([d['score'] for d in detected], float)[counted], target=target[counted],
        objects=np.bincount(owner, minlength=len(params.catIds))[:, None].astype(float),
        object_category=owner, object_image=np.full(len(owner), place),
        object_detected=np.isin([a['id'] for a in truth], matched[hit & counted]))


def _detections(evaluation: COCOeval, place: int) -> tuple[list[JsonObject], Ints, Bools]:
    """Return the detections of an image, the IDs of their objects at IoU 0.5 (0 without), and True for ignored ones.

    Args:
        evaluation: Finished evaluation.
        place: Index of the image.
    """
    params, image = evaluation.params, evaluation.params.imgIds[place]
    threshold = int(np.argmin(np.abs(params.iouThrs - FOREGROUND)))
    images, areas, most = len(params.imgIds), len(params.areaRng), params.maxDets[-1]
    detected: list[JsonObject] = []
    matched, ignored = [np.zeros(0, int)], [np.zeros(0, bool)]
    for k, category in enumerate(params.catIds):
        record = evaluation.evalImgs[k * areas * images + place]  # the first area range is 'all'
        if record is not None:
            known = {d['id']: d for d in evaluation._dts[image, category]}
            detected += [known[number] for number in record['dtIds'][:most]]
            matched.append(record['dtMatches'][threshold][:most].astype(int))
            ignored.append(record['dtIgnore'][threshold][:most].astype(bool))
    return detected, np.concatenate(matched), np.concatenate(ignored)


def _overlaps(detected: Sequence[JsonObject], truth: Sequence[JsonObject], kind: str) -> Floats:
    """Compute the IoU of detections and objects, shape (D, G)."""
    if not detected or not truth:
        return np.zeros((len(detected), len(truth)))
    key = SHAPES[kind]
    return np.asarray(mask.iou([d[key] for d in detected], [a[key] for a in truth], [0] * len(truth)))


def _error_types(overlaps: Floats, category: Ints, owner: Ints, hit: Bools) -> tuple[Ints, Ints]:
    """Return the error type of each detection of an image, and the object that it refers to. Both are -1 without."""
    kind, target = np.full(len(category), -1), np.full(len(category), -1)
    if not len(owner):
        kind[~hit] = ERROR_TYPES.index('background')
        return kind, target
    same = category[:, None] == owner[None, :]
    same_class, other_class = np.where(same, overlaps, -1), np.where(same, -1, overlaps)
    best_same, best_other = same_class.max(1), other_class.max(1)
    rules = (
        ('localization', (best_same >= BACKGROUND) & (best_same < FOREGROUND), same_class.argmax(1)),
        ('classification', best_other >= FOREGROUND, other_class.argmax(1)),
        ('duplicate', best_same >= FOREGROUND, same_class.argmax(1)),
        ('background', np.maximum(best_same, best_other) < BACKGROUND, np.full(len(category), -1)),
        ('both', np.ones(len(category), bool), other_class.argmax(1)),
    )
    free = ~hit
    for name, applies, referred in rules:  # the first rule that applies
        kind[free & applies] = ERROR_TYPES.index(name)
        target[free & applies] = referred[free & applies]
        free = free & ~applies
    return kind, target

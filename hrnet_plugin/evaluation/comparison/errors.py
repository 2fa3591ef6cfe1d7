"""Error types of detections, and their cost in AP50.

The types are those of TIDE (arXiv 2008.08115, section 2), with an IoU of 0.5 for foreground and 0.1 for background. The
AP50 is the COCO API's, whose mean is over the classes with objects. TIDE's mean includes classes that only have
detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from pycocotools import mask

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES, Errors
from hrnet_plugin.evaluation.comparison.matches import ClassMatches
from hrnet_plugin.evaluation.comparison.precisions import mean_precision
from hrnet_plugin.evaluation.detections import SHAPES
from hrnet_plugin.json_types import JsonObject

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

FOREGROUND, BACKGROUND = 0.5, 0.1
_CORRECTABLE = ('classification', 'localization')  # another class or box would make them true positives


@dataclass(frozen=True)
class _Columns:
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


def count_errors(evaluation: COCOeval) -> Errors:
    """Count the errors of a COCO evaluation by type, and compute their cost in AP50.

    Args:
        evaluation: Finished evaluation of boxes or masks.
    """
    columns = _classify(evaluation)
    missed = _find_missed(columns)
    numbers = {kind: int((columns.kind == k).sum()) for k, kind in enumerate(ERROR_TYPES)}
    numbers['missed'] = int(missed.sum())
    base = _ap(columns)
    costs = {kind: (_ap_corrected if kind in _CORRECTABLE else _ap_dropped)(columns, k) - base
             for k, kind in enumerate(ERROR_TYPES[:-1])}
    costs['missed'] = _ap_without(columns, missed) - base
    return Errors(numbers, costs)


def _ap_without(columns: _Columns, missed: Bools) -> float:
    """Compute AP50 without the missed objects. It is 1 for a class without other objects."""
    fewer = columns.objects.copy()
    np.subtract.at(fewer, (columns.object_category[missed], columns.object_image[missed]), 1)
    rest = _ap(replace(columns, objects=fewer))
    left, all_of_them = fewer.any(1).sum(), columns.objects.any(1).sum()
    return float((left * np.nan_to_num(rest) + all_of_them - left) / all_of_them)


def _ap_dropped(columns: _Columns, kind: int) -> float:
    """Compute AP50 without the errors of a type."""
    return _ap(columns, columns.kind != kind)


def _ap_corrected(columns: _Columns, kind: int) -> float:
    """Compute AP50 with the errors of a type corrected.

    The error with the highest score on each undetected object becomes a true positive. The others are dropped.
    """
    wrong = np.flatnonzero(columns.kind == kind)
    wrong = wrong[np.argsort(-columns.score[wrong], kind='mergesort')]
    free = ~columns.object_detected[columns.target[wrong]]
    _, first = np.unique(columns.target[wrong][free], return_index=True)
    repaired = wrong[free][first]
    keep = columns.kind != kind
    keep[repaired] = True
    hit, category = columns.hit.copy(), columns.category.copy()
    hit[repaired] = True
    category[repaired] = columns.object_category[columns.target[repaired]]
    return _ap(replace(columns, hit=hit, category=category), keep)


def _ap(columns: _Columns, keep: Bools | None = None) -> float:
    """Compute AP50 of all detections, or of those in ``keep``."""
    order = np.argsort(-columns.score, kind='mergesort')
    if keep is not None:
        order = order[keep[order]]
    matches = []
    for k, per_image in enumerate(columns.objects):
        mine = order[columns.category[order] == k]
        matches.append(ClassMatches(columns.score[mine], columns.image[mine], columns.hit[None, mine],
                                    np.ones((1, len(mine)), bool), per_image))
    return mean_precision(matches)


def _find_missed(columns: _Columns) -> Bools:
    """Return True for objects that no true positive, classification or localization error refers to."""
    near = columns.target[np.isin(columns.kind, [ERROR_TYPES.index(name) for name in _CORRECTABLE])]
    detected = columns.object_detected.copy()
    detected[near] = True
    return ~detected


def _classify(evaluation: COCOeval) -> _Columns:
    """Classify all detections of an evaluation that are not ignored."""
    images = [_classify_image(evaluation, place) for place in range(len(evaluation.params.imgIds))]
    numbers = [len(image.object_category) for image in images]
    # targets refer to the objects of their image, which follow those of all images before
    images = [replace(image, target=np.where(image.target < 0, -1, image.target + first))
              for image, first in zip(images, np.cumsum([0, *numbers]))]
    return _Columns(**{each.name: np.concatenate([getattr(image, each.name) for image in images], axis=-1)
                       for each in fields(_Columns)})


def _classify_image(evaluation: COCOeval, place: int) -> _Columns:
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
    return _Columns(
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

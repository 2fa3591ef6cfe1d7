"""Numbers of errors of detections, and their cost in AP50.

The AP50 is the COCO API's, whose mean is over the classes with objects. TIDE's mean includes classes that only have
detections.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Bools
from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES, Errors
from hrnet_plugin.evaluation.comparison.error_types import Detections, classify
from hrnet_plugin.evaluation.comparison.matches import ClassMatches
from hrnet_plugin.evaluation.comparison.precisions import mean_precision

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation

_CORRECTABLE = ('classification', 'localization')  # another class or box would make them true positives


def count_errors(evaluation: ArrayEvaluation) -> Errors:
    """Count the errors of an evaluation by type, and compute their cost in AP50.

    Args:
        evaluation: Finished evaluation of boxes or masks.
    """
    detections = classify(evaluation)
    missed = _find_missed(detections)
    numbers = {kind: int((detections.kind == k).sum()) for k, kind in enumerate(ERROR_TYPES)}
    numbers['missed'] = int(missed.sum())
    base = _ap(detections)
    costs = {kind: (_ap_corrected if kind in _CORRECTABLE else _ap_dropped)(detections, k) - base
             for k, kind in enumerate(ERROR_TYPES[:-1])}
    costs['missed'] = _ap_without(detections, missed) - base
    return Errors(numbers, costs)


def _ap_without(detections: Detections, missed: Bools) -> float:
    """Compute AP50 without the missed objects. It is 1 for a class without other objects."""
    fewer = detections.objects.copy()
    np.subtract.at(fewer, (detections.object_category[missed], detections.object_image[missed]), 1)
    rest = _ap(replace(detections, objects=fewer))
    left, all_of_them = fewer.any(1).sum(), detections.objects.any(1).sum()
    return float((left * np.nan_to_num(rest) + all_of_them - left) / all_of_them)


def _ap_dropped(detections: Detections, kind: int) -> float:
    """Compute AP50 without the errors of a type."""
    return _ap(detections, detections.kind != kind)


def _ap_corrected(detections: Detections, kind: int) -> float:
    """Compute AP50 with the errors of a type corrected.

    The error with the highest score on each undetected object becomes a true positive. The others are dropped.
    """
    wrong = np.flatnonzero(detections.kind == kind)
    wrong = wrong[np.argsort(-detections.score[wrong], kind='mergesort')]
    free = ~detections.object_detected[detections.target[wrong]]
    _, first = np.unique(detections.target[wrong][free], return_index=True)
    repaired = wrong[free][first]
    keep = detections.kind != kind
    keep[repaired] = True
    hit, category = detections.hit.copy(), detections.category.copy()
    hit[repaired] = True
    category[repaired] = detections.object_category[detections.target[repaired]]
    return _ap(replace(detections, hit=hit, category=category), keep)


def _ap(detections: Detections, keep: Bools | None = None) -> float:
    """Compute AP50 of all detections, or of those in ``keep``."""
    order = np.argsort(-detections.score, kind='mergesort')
    if keep is not None:
        order = order[keep[order]]
    matches = []
    for k, per_image in enumerate(detections.objects):
        mine = order[detections.category[order] == k]
        matches.append(ClassMatches(detections.score[mine], detections.image[mine], detections.hit[None, mine],
                                    np.ones((1, len(mine)), bool), per_image))
    return mean_precision(matches)


def _find_missed(detections: Detections) -> Bools:
    """Return True for objects that no true positive, classification or localization error refers to."""
    near = detections.target[np.isin(detections.kind, [ERROR_TYPES.index(name) for name in _CORRECTABLE])]
    detected = detections.object_detected.copy()
    detected[near] = True
    return ~detected

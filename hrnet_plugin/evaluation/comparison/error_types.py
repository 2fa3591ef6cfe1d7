"""Error types of detections.

The types are those of TIDE (arXiv 2008.08115, section 2), with an IoU of 0.5 for foreground and 0.1 for background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation
    from hrnet_plugin.evaluation.matching.overlaps import Pairs

FOREGROUND, BACKGROUND = 0.5, 0.1  # the pairs of an evaluation have at least the second one


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


def classify(evaluation: ArrayEvaluation) -> Detections:
    """Classify all detections of an evaluation that are not ignored."""
    objects, predictions, matches = evaluation.objects, evaluation.predictions, evaluation.matches[0]
    threshold = evaluation.threshold_index(FOREGROUND)
    matched = matches.matched(slice(None))[threshold]
    hit, counted = (values[threshold] for values in matches.hits_and_counted(slice(None)))
    valid = ~matches.ignored
    number = np.append(np.where(valid, np.cumsum(valid) - 1, -1), -1)  # among valid objects; the last one is for -1
    kind, target = _error_types(evaluation, hit)
    per_image = np.zeros((len(evaluation.params.catIds), len(evaluation.params.imgIds)))
    np.add.at(per_image, (objects.category[valid], objects.image[valid]), 1)
    detected = np.zeros(valid.sum(), bool)
    detected[number[matched[hit & counted]]] = True
    return Detections(
        category=predictions.category[counted], image=predictions.image[counted], score=predictions.score[counted],
        hit=hit[counted], kind=kind[counted], target=number[target[counted]], objects=per_image,
        object_category=objects.category[valid], object_image=objects.image[valid], object_detected=detected)


def _error_types(evaluation: ArrayEvaluation, hit: Bools) -> tuple[Ints, Ints]:
    """Return the error type of each prediction, and the object that it refers to. Both are -1 without.

    Args:
        evaluation: Finished evaluation.
        hit: True for predictions that match an object.
    """
    objects, pairs = evaluation.objects, evaluation.pairs
    pairs = pairs.select(~evaluation.matches[0].ignored[pairs.object] & ~hit[pairs.prediction])
    same = evaluation.predictions.category[pairs.prediction] == objects.category[pairs.object]
    best_same, same_object = _best(pairs.select(same), len(hit), objects.category)
    best_other, other_object = _best(pairs.select(~same), len(hit), objects.category)
    kind, target = np.full(len(hit), -1), np.full(len(hit), -1)
    rules = (
        ('localization', (best_same >= BACKGROUND) & (best_same < FOREGROUND), same_object),
        ('classification', best_other >= FOREGROUND, other_object),
        ('duplicate', best_same >= FOREGROUND, same_object),
        ('background', np.maximum(best_same, best_other) < BACKGROUND, np.full(len(hit), -1)),
        ('both', np.ones(len(hit), bool), other_object),
    )
    free = ~hit
    for name, applies, referred in rules:  # the first rule that applies
        kind[free & applies] = ERROR_TYPES.index(name)
        target[free & applies] = referred[free & applies]
        free = free & ~applies
    return kind, target


def _best(pairs: Pairs, number: int, categories: Ints) -> tuple[Floats, Ints]:
    """Return the highest overlap of each prediction and its object, 0 and -1 without pairs.

    Args:
        pairs: Pairs with at least the overlap of background.
        number: Number of predictions.
        categories: Classes of the objects. Of equal overlaps, the first class precedes.
    """
    overlap, owner = np.zeros(number), np.full(number, -1)
    order = np.lexsort((-pairs.object, -categories[pairs.object], pairs.overlap))  # the last entry is kept
    overlap[pairs.prediction[order]] = pairs.overlap[order]
    owner[pairs.prediction[order]] = pairs.object[order]
    return overlap, owner

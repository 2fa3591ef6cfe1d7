"""Confusion matrix of boxes, masks or keypoints, with background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Ints
from hrnet_plugin.evaluation.matching.greedy import match_greedily

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


def count_confusions(evaluation: ArrayEvaluation, overlap: float, score: float) -> Ints:
    """Count pairs of ground-truth and predicted classes, shape (C + 1, C + 1).

    The predictions of an image choose by descending score. Of equal scores, the first class precedes. Each one takes
    the object of any class that overlaps most, among those that no prediction has taken. The minimum overlap is
    inclusive. A prediction without such an object is left out if it matches an ignored object of its class, e.g. a
    crowd. Otherwise it is a false positive, in the last row. Objects that are left are in the last column.

    Args:
        evaluation: Finished evaluation.
        overlap: Minimum IoU or OKS of a match.
        score: Minimum score of a prediction.
    """
    objects, predictions, pairs = evaluation.objects, evaluation.predictions, evaluation.pairs
    ignored = evaluation.matches[0].ignored  # as in AP: also objects of invalid areas
    classes, used = len(evaluation.params.catIds), predictions.score >= score
    same = predictions.category[pairs.prediction] == objects.category[pairs.object]
    pairs = pairs.select(used[pairs.prediction] & (same | ~ignored[pairs.object]))
    sequence = np.empty(len(predictions), int)
    sequence[np.lexsort((-predictions.score, predictions.image))] = np.arange(len(predictions))
    found = match_greedily(pairs, predictions.image, sequence, ignored, objects.crowd, np.array([overlap]))
    matched = np.full(len(predictions), -1)
    matched[found.predictions] = found.objects[0]
    rows = np.append(np.where(ignored, -1, objects.category), classes)[matched]  # -1 for ignored objects
    counted = used & (rows >= 0)
    counts = np.zeros((classes + 1, classes + 1), int)
    np.add.at(counts, (rows[counted], predictions.category[counted]), 1)
    counts[:-1, -1] = np.bincount(objects.category[~ignored], minlength=classes) - counts[:-1, :-1].sum(axis=1)
    return counts

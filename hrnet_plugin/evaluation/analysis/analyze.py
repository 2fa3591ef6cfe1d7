"""Analysis of a finished evaluation of boxes, masks or keypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.analysis.analysis import (
    EDGES,
    SCORE_THRESHOLD,
    Analysis,
    Confusion,
    Curves,
    Histograms,
    encode_precision,
    encode_scores,
)
from hrnet_plugin.evaluation.analysis.confusion import count_confusions

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation

#: Minimum IoU or OKS of the confusion matrix and of true positives in histograms.
OVERLAP = 0.5


def analyze(evaluation: ArrayEvaluation, score: float = SCORE_THRESHOLD) -> Analysis:
    """Analyze the model of a finished evaluation.

    Args:
        evaluation: Finished evaluation.
        score: Minimum score of predictions in the confusion matrix.
    """
    params, valid = evaluation.params, ~evaluation.matches[0].ignored
    precision = evaluation.eval['precision'][:, :, :, 0, -1].transpose(2, 0, 1)  # all areas, most predictions
    true, false = _count_scores(evaluation)
    objects = np.bincount(evaluation.objects.category[valid], minlength=len(params.catIds))
    return Analysis(
        kind=params.iouType, images=len(params.imgIds),
        classes=[category['name'] for category in evaluation.cocoGt.loadCats(params.catIds)],
        precision=[float(values.mean()) if number else None for values, number in zip(precision, objects)],
        objects=objects.tolist(), predictions=(true + false).sum(axis=1).tolist(),
        confusion=Confusion(overlap=OVERLAP, score=score,
                            counts=count_confusions(evaluation, OVERLAP, score).tolist()),
        curves=_curves(evaluation, precision, objects > 0),
        histograms=Histograms(overlap=OVERLAP, edges=EDGES, true_positives=true.tolist(),
                              false_positives=false.tolist()))


def _curves(evaluation: ArrayEvaluation, precision: Floats, defined: Bools) -> Curves:
    """Encode curves.

    Args:
        evaluation: Finished evaluation.
        precision: Precision of each class, shape (C, T, R).
        defined: True for classes with objects, shape (C,).
    """
    scores = evaluation.eval['scores'][0, :, :, 0, -1].T
    mean = precision[defined].mean(axis=0) if defined.any() else np.zeros(precision.shape[1:])
    return Curves(thresholds=[round(float(value), 2) for value in evaluation.params.iouThrs],
                  precision=[encode_precision(values) if known else None for values, known in zip(precision, defined)],
                  mean=encode_precision(mean),
                  scores=[encode_scores(values) if known else None for values, known in zip(scores, defined)])


def _count_scores(evaluation: ArrayEvaluation) -> tuple[Ints, Ints]:
    """Count true and false positives of each class by score, both of shape (C, bins)."""
    threshold, predictions = evaluation.threshold_index(OVERLAP), evaluation.predictions
    hits, counted = (values[threshold] for values in evaluation.matches[0].hits_and_counted(slice(None)))
    place = np.clip(np.searchsorted(EDGES, predictions.score, side='right') - 1, 0, len(EDGES) - 2)
    cells = predictions.category * (len(EDGES) - 1) + place
    shape = len(evaluation.params.catIds), len(EDGES) - 1
    true, false = (np.bincount(cells[chosen & counted], minlength=shape[0] * shape[1]).reshape(shape)
                   for chosen in (hits, ~hits))
    return true, false

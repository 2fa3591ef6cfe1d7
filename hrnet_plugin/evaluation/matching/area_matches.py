"""Matches of all predictions in an area range, and the precision and recall that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.matching.arrays import Objects, Predictions
from hrnet_plugin.evaluation.matching.greedy import match_greedily
from hrnet_plugin.evaluation.matching.overlaps import Pairs


@dataclass(frozen=True)
class AreaMatches:
    """Matches in an area range.

    Attributes:
        owners: Index of the matched object at each threshold, or -1, shape (T, M + 1). Its columns are the predictions
            with candidates. The last one is that of all others.
        column: Column of each prediction, shape (D,).
        outside: True for predictions outside the area range, which are ignored without a match, shape (D,).
        ignored: True for ignored objects, shape (N,).
    """

    owners: Ints
    column: Ints
    outside: Bools
    ignored: Bools

    def matched(self, chosen: Ints | slice) -> Ints:
        """Return the object that each of these predictions matches, or -1, shape (T, len(chosen))."""
        return np.asarray(self.owners[:, self.column[chosen]])

    def hits_and_counted(self, chosen: Ints | slice) -> tuple[Bools, Bools]:
        """Return True for predictions with a match, and for those that count, both of shape (T, len(chosen))."""
        owners = self.matched(chosen)
        hits = owners >= 0
        counted = np.where(hits, ~np.append(self.ignored, False)[owners], ~self.outside[chosen])
        return hits, counted


def match_area(objects: Objects, predictions: Predictions, pairs: Pairs, area: tuple[float, float],
               thresholds: Floats) -> AreaMatches:
    """Match the predictions of each image and class.

    Args:
        objects, predictions: Both by image.
        pairs: Pairs of any class.
        area: Range of areas in pixels. Objects outside are ignored, and so are predictions without a match.
        thresholds: Minimum IoU or OKS, shape (T,).
    """
    ignored = objects.ignored | (objects.area < area[0]) | (objects.area > area[1])
    pairs = pairs.select(predictions.category[pairs.prediction] == objects.category[pairs.object])
    groups = predictions.image * (predictions.category.max(initial=0) + 1) + predictions.category
    found = match_greedily(pairs, groups, np.arange(len(predictions)), ignored, objects.crowd, thresholds)
    owners = np.pad(found.objects.astype(np.int32), ((0, 0), (0, 1)), constant_values=-1)
    column = np.full(len(predictions), len(found.predictions), np.int32)
    column[found.predictions] = np.arange(len(found.predictions))
    return AreaMatches(owners, column, (predictions.area < area[0]) | (predictions.area > area[1]), ignored)


@dataclass(frozen=True)
class ClassCurves:
    """Precision, recall and scores of a class as in ``COCOeval.eval``.

    Attributes:
        precision: Interpolated precision, shape (T, R).
        recall: Highest recall, shape (T,).
        scores: Scores at each recall, shape (T, R). 0 for recalls that are not reached.
    """

    precision: Floats
    recall: Floats
    scores: Floats


def class_curves(hits: Bools, counted: Bools, scores: Floats, objects: int, recalls: Floats) -> ClassCurves:
    """Compute the curves of predictions by descending score.

    Only true positives change recall, and the interpolated precision is that of a true positive.

    Args:
        hits, counted: Matches and predictions that count, shape (T, D).
        scores: Scores, shape (D,).
        objects: Number of objects, at least 1.
        recalls: Ascending recalls from 0, shape (R,).
    """
    precision, reached = np.zeros((len(hits), len(recalls))), np.zeros((len(hits), len(recalls)))
    recall = np.zeros(len(hits))
    for threshold, true in enumerate(hits & counted):
        places = np.flatnonzero(true)
        ignored = np.flatnonzero(~counted[threshold])
        number = np.arange(1, len(places) + 1)
        recall[threshold] = len(places) / objects
        values = number / (places + 1 - np.searchsorted(ignored, places) + np.spacing(1))
        envelope = np.maximum.accumulate(values[::-1])[::-1]
        first = np.searchsorted(number / objects, recalls)
        end = np.searchsorted(first, len(places))  # recalls that are reached
        precision[threshold, :end] = envelope[first[:end]]
        reached[threshold, :end] = scores[places[first[:end]]]
        reached[threshold, recalls <= 0] = scores[:1] if len(scores) else 0
    return ClassCurves(precision, recall, reached)

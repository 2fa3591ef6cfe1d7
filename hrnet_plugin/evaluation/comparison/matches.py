"""Matches of each class, from which the AP of resampled images is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.matching.groups import count_within

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation

_RECALLS = np.linspace(0, 1, 101)
_NEXT_RECALLS = np.append(_RECALLS, np.inf)


@dataclass(frozen=True)
class ClassMatches:
    """Detections of a class by descending score, and numbers of its objects.

    Attributes:
        scores: Scores of the detections, shape (D,).
        images: Indices of their images, shape (D,).
        hits: True for true positives at each threshold of IoU or OKS, shape (T, D).
        counted: False for detections that are ignored because they match a crowd, shape (T, D).
        objects: Numbers of objects in each image without crowds, shape (I,).
    """

    scores: Floats
    images: Ints
    hits: Bools
    counted: Bools
    objects: Floats

    def precision(self, weights: Floats | None = None) -> Floats:
        """Compute the AP at each threshold as the COCO API does.

        Only true positives change recall, and the interpolated precision is that of a true positive. So precision is
        computed for them alone. Of detections with equal scores, all copies of one precede the next.

        Args:
            weights: Number of times that each image counts, shape (I,) or (B, I). Default: once.

        Returns:
            AP, shape (T,) or (T, B). NaN without objects.
        """
        each = np.ones((1, len(self.objects))) if weights is None else np.atleast_2d(weights)
        objects = each @ self.objects
        places = np.flatnonzero((self.hits & self.counted).any(axis=0))
        detections = _sums_until(places, each, self.images)
        found = np.stack([_average_precision(*self._up_to_hits(k, places, detections, each), objects)
                          for k in range(len(self.hits))])
        found[:, objects == 0] = np.nan
        return found if weights is not None and weights.ndim == 2 else found[:, 0]

    def image_precision(self) -> Floats:
        """Compute the AP on each image alone, the mean over the thresholds, shape (I,). 0 without objects."""
        rows = np.flatnonzero(self.objects)
        order = np.argsort(self.images, kind='stable')  # by image, then by score
        order = order[self.objects[self.images[order]] > 0]
        row = np.searchsorted(rows, self.images[order])
        starts = np.searchsorted(row, np.arange(len(rows)))
        found = np.zeros(len(self.objects))
        for hits, counted in zip(self.hits[:, order], self.counted[:, order]):
            places = np.flatnonzero(hits & counted)
            owner, number = row[places], count_within(row[places])
            until = np.append(0, np.cumsum(counted))
            # a row per image: numbers of true positives, and of detections up to each of them
            detections = np.full((len(rows), number.max(initial=-1) + 1), np.inf)
            detections[owner, number] = until[places + 1] - until[starts[owner]]
            positives = np.bincount(owner, minlength=len(rows))[:, None]
            steps = np.minimum(np.arange(1, detections.shape[1] + 1), positives)
            found[rows] += _average_precision(steps, detections, self.objects[rows])
        return found / len(self.hits)

    def _up_to_hits(self, threshold: int, places: Ints, detections: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Return numbers of true positives and detections up to each true positive, both of shape (B, N).

        Args:
            threshold: Index of the threshold.
            places: Indices of the true positives at any threshold.
            detections: Numbers of detections up to these places, shape (B, len(places)).
            weights: Number of times that each image counts, shape (B, I).
        """
        chosen = np.flatnonzero((self.hits[threshold] & self.counted[threshold])[places])
        hits, detections = places[chosen], detections.take(chosen, axis=1)
        ignored = np.flatnonzero(~self.counted[threshold])
        if ignored.size:
            sums = np.cumsum(weights.take(self.images[ignored], axis=1), axis=1)
            sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
            detections -= sums.take(np.searchsorted(ignored, hits), axis=1)
        return np.cumsum(weights.take(self.images[hits], axis=1), axis=1), detections


def _sums_until(places: Ints, weights: Floats, images: Ints) -> Floats:
    """Sum the weights of all detections up to each place, shape (B, len(places))."""
    if not len(places):
        return np.zeros((len(weights), 0))
    starts = np.concatenate([[0], places[:-1] + 1])
    # sums between places first: a cumulative sum of all detections takes much longer
    return np.cumsum(np.add.reduceat(weights.take(images[:places[-1] + 1], axis=1), starts, axis=1), axis=1)


def _average_precision(hits: Floats | Ints, detections: Floats, objects: Floats) -> Floats:
    """Compute the mean of the interpolated precision at 101 recalls.

    Args:
        hits, detections: Numbers of true positives and detections up to each true positive, shape (B, N).
        objects: Numbers of objects, shape (B,).
    """
    if not hits.size:
        return np.zeros(len(objects))
    precision = hits / (detections + np.spacing(1))
    # interpolated precision of the API: the maximum at this recall or a higher one
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = _count_recalls(hits / np.maximum(objects, 1)[:, None])
    return np.einsum('bn,bn->b', envelope, np.diff(reached, axis=1, prepend=0)) / len(_RECALLS)


def _count_recalls(recall: Floats) -> Ints:
    """Return the number of the 101 recalls up to each value, as ``searchsorted`` of side 'right' does."""
    place = (recall * 100).astype(np.int32)  # off by one where the product is rounded
    return place + (_NEXT_RECALLS[place] <= recall) + (_NEXT_RECALLS[place + 1] <= recall)


def class_matches(evaluation: ArrayEvaluation) -> list[ClassMatches]:
    """Return the matches of each class of an evaluation, in the order of ``params.catIds``."""
    objects, predictions, matches = evaluation.objects, evaluation.predictions, evaluation.matches[0]
    images = len(evaluation.params.imgIds)
    found = []
    for category, order in enumerate(evaluation.class_orders()):
        mine = objects.image[(objects.category == category) & ~matches.ignored]
        found.append(ClassMatches(predictions.score[order], predictions.image[order],
                                  *matches.hits_and_counted(order), np.bincount(mine, minlength=images).astype(float)))
    return found

"""Matches of the COCO API as arrays, from which the AP of resampled images is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

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


def _average_precision(hits: Floats, detections: Floats, objects: Floats) -> Floats:
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


def class_matches(evaluation: COCOeval) -> list[ClassMatches]:
    """Return the matches of each class of a COCO evaluation, in the order of ``params.catIds``."""
    params = evaluation.params
    images, areas, most = len(params.imgIds), len(params.areaRng), params.maxDets[-1]
    # indexed by class, area range and image; the first area range is 'all'
    starts = range(0, len(params.catIds) * areas * images, areas * images)
    return [_match_class(evaluation.evalImgs[start:start + images], most, len(params.iouThrs)) for start in starts]


def _match_class(evaluated: Sequence[Any], most: int, thresholds: int) -> ClassMatches:
    """Return the matches of a class from the API's records of each image, which may be None."""
    records = [(index, record) for index, record in enumerate(evaluated) if record is not None]
    objects = np.zeros(len(evaluated))
    for index, record in records:
        objects[index] = np.count_nonzero(np.asarray(record['gtIgnore']) == 0)
    scores = np.concatenate([np.asarray(record['dtScores'][:most], float) for _, record in records] or [np.zeros(0)])
    order = np.argsort(-scores, kind='mergesort')  # stable, as in the API

    def concatenate(key: str) -> Floats:
        parts = [np.asarray(record[key])[:, :most] for _, record in records]
        return np.concatenate(parts or [np.zeros((thresholds, 0))], axis=1)[:, order]

    images = np.concatenate([np.full(len(record['dtScores'][:most]), index) for index, record in records]
                            or [np.zeros(0)]).astype(int)
    return ClassMatches(scores[order], images[order], concatenate('dtMatches') != 0,
                        ~concatenate('dtIgnore').astype(bool), objects)

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


@dataclass(frozen=True)
class ClassMatches:
    """Detections of a class by descending score, and numbers of its objects.

    Attributes:
        scores: Scores of the detections, shape (D,).
        images: Indices of their images, shape (D,).
        hits: True for true positives at each IoU threshold, shape (T, D).
        counted: False for detections that are ignored because they match a crowd, shape (T, D).
        objects: Numbers of objects in each image without crowds, shape (I,).
    """

    scores: Floats
    images: Ints
    hits: Bools
    counted: Bools
    objects: Floats

    def precision(self, weights: Floats | None = None) -> Floats | None:
        """Compute the AP at each IoU threshold as the COCO API does, or return None without objects.

        Args:
            weights: Number of times that each image counts, shape (I,). Default: once.
        """
        weights = np.ones(len(self.objects)) if weights is None else weights
        objects = (self.objects * weights).sum()
        if objects == 0:
            return None
        counted = self.counted * weights[self.images]
        found = np.cumsum(counted * self.hits, axis=1)
        precision = found / (np.cumsum(counted, axis=1) + np.spacing(1))
        # interpolated precision of the API: the maximum at this recall or a higher one
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        envelope = np.concatenate([envelope, np.zeros((len(envelope), 1))], axis=1)
        places = (np.searchsorted(row, _RECALLS, side='left') for row in found / objects)
        return np.array([row[place].mean() for row, place in zip(envelope, places)])


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


def mean_precision(matches: Sequence[ClassMatches], weights: Floats | None = None) -> float:
    """Compute the mean AP over all classes with objects, or NaN without objects."""
    values = [value.mean() for value in (match.precision(weights) for match in matches) if value is not None]
    return float(np.mean(values)) if values else float('nan')

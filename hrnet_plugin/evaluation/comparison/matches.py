"""What the COCO API has matched, as arrays from which an AP can be computed again and again."""

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
    """The detections of a class, the surest first, and its objects.

    Attributes:
        scores: ``(D, )``.
        images: ``(D, )``, places of their images in the list of all.
        hits: ``(T, D)``, whether a detection has an object, for each threshold of the overlap.
        counted: ``(T, D)``, whether it counts: those that lie on a crowd do not.
        objects: ``(I, )``, how many there are in each image, without crowds.
    """

    scores: Floats
    images: Ints
    hits: Bools
    counted: Bools
    objects: Floats

    def precision(self, weights: Floats | None = None) -> Floats | None:
        """AP for each threshold, as the API computes it; None without objects.

        Args:
            weights: ``(I, )``, how often each image counts; once by default.
        """
        weights = np.ones(len(self.objects)) if weights is None else weights
        objects = (self.objects * weights).sum()
        if objects == 0:
            return None
        counted = self.counted * weights[self.images]
        found = np.cumsum(counted * self.hits, axis=1)
        precision = found / (np.cumsum(counted, axis=1) + np.spacing(1))
        # the API's envelope: at a recall, the best precision at that recall or a higher one
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        envelope = np.concatenate([envelope, np.zeros((len(envelope), 1))], axis=1)
        places = (np.searchsorted(row, _RECALLS, side='left') for row in found / objects)
        return np.array([row[place].mean() for row, place in zip(envelope, places)])


def class_matches(evaluation: COCOeval) -> list[ClassMatches]:
    """Of each class of an evaluation of the API, in the order of its ``params.catIds``."""
    params = evaluation.params
    images, areas, most = len(params.imgIds), len(params.areaRng), params.maxDets[-1]
    # by class, size and image; all sizes come first
    starts = range(0, len(params.catIds) * areas * images, areas * images)
    return [_of_class(evaluation.evalImgs[start:start + images], most, len(params.iouThrs)) for start in starts]


def _of_class(evaluated: Sequence[Any], most: int, thresholds: int) -> ClassMatches:
    """Of the API's records of a class: one an image, for objects of all sizes, or None."""
    found = [(place, record) for place, record in enumerate(evaluated) if record is not None]
    objects = np.zeros(len(evaluated))
    for place, record in found:
        objects[place] = np.count_nonzero(np.asarray(record['gtIgnore']) == 0)
    scores = np.concatenate([np.asarray(record['dtScores'][:most], float) for _, record in found] or [np.zeros(0)])
    order = np.argsort(-scores, kind='mergesort')  # the API's, which keeps the order of equal scores

    def together(key: str) -> Floats:
        parts = [np.asarray(record[key])[:, :most] for _, record in found]
        return np.concatenate(parts or [np.zeros((thresholds, 0))], axis=1)[:, order]

    places = np.concatenate([np.full(len(record['dtScores'][:most]), place) for place, record in found]
                            or [np.zeros(0)]).astype(int)
    return ClassMatches(scores[order], places[order], together('dtMatches') != 0,
                        ~together('dtIgnore').astype(bool), objects)


def mean_precision(matches: Sequence[ClassMatches], weights: Floats | None = None) -> float:
    """AP over all classes that have objects; not a number if none has."""
    values = [value.mean() for value in (match.precision(weights) for match in matches) if value is not None]
    return float(np.mean(values)) if values else float('nan')

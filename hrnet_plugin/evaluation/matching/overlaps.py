"""IoU of boxes and masks, and OKS of keypoints, of the pairs that overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pycocotools import mask

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.matching.arrays import Objects, Predictions


@dataclass(frozen=True)
class Pairs:
    """Overlapping predictions and objects of the same image, of any class.

    Attributes:
        prediction, object: Indices of both, shape (P,).
        overlap: IoU or OKS, shape (P,). For crowds, the part of the prediction that is in the crowd.
    """

    prediction: Ints
    object: Ints
    overlap: Floats

    def select(self, chosen: Bools | Ints) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.prediction[chosen], self.object[chosen], self.overlap[chosen])


def find_pairs(objects: Objects, predictions: Predictions, least: float, sigmas: Floats | None) -> Pairs:
    """Find pairs with a minimum IoU or OKS.

    Memory is proportional to the number of these pairs, and to the largest number of pairs in one image.

    Args:
        objects, predictions: Both by image.
        least: Minimum IoU or OKS.
        sigmas: Sigmas of the keypoints, shape (K,). None for boxes and masks.
    """
    overlaps = _ious if sigmas is None else _similarities(sigmas)
    images = np.intersect1d(objects.image, predictions.image)
    bounds = [[np.searchsorted(places, images, side) for side in ('left', 'right')]
              for places in (predictions.image, objects.image)]
    found = [Pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
    for first, last, start, end in zip(*bounds[0], *bounds[1]):
        values = overlaps(objects, predictions, slice(start, end), slice(first, last))
        prediction, owner = np.nonzero(values >= least)
        found.append(Pairs(prediction + first, owner + start, values[prediction, owner]))
    return Pairs(*(np.concatenate([getattr(pairs, name) for pairs in found])
                   for name in ('prediction', 'object', 'overlap')))


_Overlaps = Callable[[Objects, Predictions, slice, slice], Floats]


def _ious(objects: Objects, predictions: Predictions, truth: slice, found: slice) -> Floats:
    crowd = objects.crowd[truth].astype(int).tolist()
    return np.asarray(mask.iou(predictions.shapes[found], objects.shapes[truth], crowd))


def _similarities(sigmas: Floats) -> _Overlaps:
    """Return a function that computes OKS as the COCO API does, with the same rounding."""
    sizes = (sigmas * 2) ** 2

    def similarities(objects: Objects, predictions: Predictions, truth: slice, found: slice) -> Floats:
        points = predictions.points[found]
        return np.stack([_similarity(points, objects, place, sizes) for place in range(truth.start, truth.stop)], 1)
    return similarities


def _similarity(points: Floats, objects: Objects, place: int, sizes: Floats) -> Floats:
    """Compute the OKS of keypoints of shape (D, K, 3) and one person, shape (D,)."""
    x, y, labeled = objects.points[place].T
    labeled = labeled > 0
    if labeled.any():
        dx, dy = points[:, :, 0] - x, points[:, :, 1] - y
    else:  # distance from a box of three times the size
        left, top, width, height = objects.boxes[place]
        dx = _outside(points[:, :, 0], left - width, left + width * 2)
        dy = _outside(points[:, :, 1], top - height, top + height * 2)
    errors = (dx ** 2 + dy ** 2) / sizes / (objects.area[place] + np.spacing(1)) / 2
    terms = np.exp(-np.ascontiguousarray(errors[:, labeled] if labeled.any() else errors))
    return np.asarray(terms.sum(axis=1) / terms.shape[1])


def _outside(values: Floats, low: float, high: float) -> Floats:
    return np.maximum(0, low - values) + np.maximum(0, values - high)

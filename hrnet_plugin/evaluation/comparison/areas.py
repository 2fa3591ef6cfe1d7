"""Areas of semantic segmentation per image, from which the mIoU of resampled images is computed.

The metrics are those of mmseg's ``IoUMetric``. A class is not defined, and left out of means, if it has no pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.label_counts import LabelCounts


@dataclass(frozen=True)
class ImageAreas:
    """Numbers of pixels per image and class, shape (I, C), and mIoU as a function of image weights.

    Attributes:
        intersection: Pixels on which prediction and ground truth agree.
        predicted: Predicted pixels.
        labeled: Ground-truth pixels.
    """

    intersection: Floats
    predicted: Floats
    labeled: Floats

    @cached_property
    def objects(self) -> Floats:
        """Number of labeled pixels in each image, shape (I,)."""
        return self.labeled.sum(axis=1)

    @cached_property
    def union(self) -> Floats:
        """Pixels that are predicted or labeled, shape (I, C)."""
        return self.predicted + self.labeled - self.intersection

    def __call__(self, weights: Floats) -> Floats:
        """Compute the mIoU for each row of weights, shape (B, I)."""
        return _mean(_divide(weights @ self.intersection, weights @ self.union))

    @property
    def class_ious(self) -> Floats:
        """IoU of each class, shape (C,). NaN without pixels."""
        return _divide(self.intersection.sum(axis=0), self.union.sum(axis=0))

    @property
    def metrics(self) -> dict[str, float]:
        """Metrics mIoU, mAcc and aAcc of mmseg, in [0, 1]."""
        hits, labeled = self.intersection.sum(axis=0), self.labeled.sum(axis=0)
        return {'mIoU': float(_mean(self.class_ious)), 'mAcc': float(_mean(_divide(hits, labeled))),
                'aAcc': float(_divide(hits.sum(), labeled.sum()))}

    def image_scores(self) -> Floats:
        """Compute the mIoU of each image alone, shape (I,). It is 1 without labeled pixels."""
        return np.where(self.objects > 0, _mean(_divide(self.intersection, self.union)), 1.)


def make_areas(counts: Iterable[LabelCounts], classes: int) -> ImageAreas:
    """Collect the areas of the classes. Higher labels are unlabeled: they belong to no class."""
    rows = [(_sum(image.labeled, image.pixels * (image.labeled == image.predicted), classes),
             _sum(image.predicted, image.pixels, classes), _sum(image.labeled, image.pixels, classes))
            for image in counts]
    return ImageAreas(*(np.stack(each) for each in zip(*rows)))


def count_label_confusions(counts: Iterable[LabelCounts], classes: int) -> Ints:
    """Count pixels by ground-truth and predicted class, shape (C + 1, C + 1).

    The last column is of predictions without a class. Pixels whose ground truth has no class are left out.
    """
    found = np.zeros((classes + 1, classes + 1), np.int64)
    for image in counts:
        predicted = np.where((image.predicted < 0) | (image.predicted >= classes), classes, image.predicted)
        valid = image.labeled < classes
        np.add.at(found, (image.labeled[valid], predicted[valid]), image.pixels[valid])
    return found


def _sum(labels: Ints, pixels: Ints, classes: int) -> Floats:
    """Sum pixels by label, shape (C,)."""
    valid = (labels >= 0) & (labels < classes)
    return np.bincount(labels[valid], pixels[valid], minlength=classes).astype(float)


def _divide(first: Floats, second: Floats) -> Floats:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.asarray(first / second)


def _mean(values: Floats) -> Floats:
    """Compute the mean over the last axis without NaN. It is NaN if all are."""
    defined: Bools = ~np.isnan(values)
    return _divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))

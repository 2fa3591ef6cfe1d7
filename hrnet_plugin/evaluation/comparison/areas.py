"""Areas of semantic segmentation per image, from which the mIoU of resampled images is computed.

The metrics are those of mmseg's ``IoUMetric``. A class is not defined, and left out of means, if it has no pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.comparison.label_maps import LabelMaps


@dataclass(frozen=True)
class LabelRules:
    """Meaning of the labels in label maps.

    Attributes:
        classes: Number of classes, or None to count them: up to the largest label.
        ignore_index: Label of ground-truth pixels that are not evaluated.
        reduce_zero_label: Whether to ignore label 0 and to reduce the others by 1, as mmseg does for ADE20K.
        label_map: Ground-truth label -> label of a config that has other classes than its dataset. It is applied after
            ``reduce_zero_label``. Other labels are unchanged.
    """

    classes: int | None = None
    ignore_index: int = 255
    reduce_zero_label: bool = False
    label_map: Mapping[int, int] = field(default_factory=dict)

    def reduce(self, labels: Ints) -> Ints:
        """Return the labels of a file after ``reduce_zero_label``."""
        if not self.reduce_zero_label:
            return labels
        return np.where((labels == 0) | (labels == 255), 255, labels - 1)

    def read_truth(self, labels: Ints) -> Ints:
        """Return the labels of a ground-truth file after ``reduce_zero_label`` and ``label_map``."""
        labels = self.reduce(labels)
        if not self.label_map or not labels.size:
            return labels
        table = np.arange(max(labels.max(), *self.label_map) + 1)
        table[list(self.label_map)] = list(self.label_map.values())
        return table[labels]


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


def measure_areas(truth: LabelMaps, predictions: LabelMaps, names: Sequence[str], rules: LabelRules) -> list[Ints]:
    """Count intersection, predicted and labeled pixels of each image.

    Args:
        truth, predictions: Label maps.
        names: Names of the images.
        rules: Meaning of the labels.

    Returns:
        Three arrays, shape (I, C). C is the number of classes, or that of the labels that occur.

    Raises:
        ValueError: If two label maps differ in size, or a label is out of range.
    """
    counts = list(zip(*(_measure(truth, predictions, name, rules) for name in names)))
    number = rules.classes or max((len(row) for rows in counts for row in rows), default=0)
    return [np.stack([np.pad(row, (0, number - len(row))) for row in rows]) for rows in counts]


def _measure(truth: LabelMaps, predictions: LabelMaps, name: str, rules: LabelRules) -> Iterator[Ints]:
    labels, found = rules.read_truth(truth.read(name)), predictions.read(name)
    found = rules.reduce(found) if predictions.are_files else found
    if labels.shape != found.shape:
        raise ValueError(f'{predictions.path} must have label maps of the size of the ground truth, got '
                         f'{found.shape[1]} x {found.shape[0]} for {name}, which is {labels.shape[1]} x '
                         f'{labels.shape[0]}')
    valid = labels != rules.ignore_index
    labels, found = labels[valid], found[valid]
    known = found != rules.ignore_index  # an unlabeled pixel of a prediction is wrong, and of no class
    for maps, values in ((truth, labels), (predictions, found[known])):
        _check_labels(values, f'{maps.path}, {name}', rules)
    return map(np.bincount, (labels[labels == found], found[known], labels))


def _check_labels(values: Ints, where: str, rules: LabelRules) -> None:
    highest = rules.classes - 1 if rules.classes else 2**16 - 1
    if values.size and not 0 <= values.min() <= values.max() <= highest:
        wrong = values.min() if values.min() < 0 else values.max()
        raise ValueError(f'{where}: labels must be from 0 to {highest}, or {rules.ignore_index} for ignored pixels, '
                         f'got {wrong}. Check the number of classes, --ignore-index and --reduce-zero-label.')


def _divide(first: Floats, second: Floats) -> Floats:
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.asarray(first / second)


def _mean(values: Floats) -> Floats:
    """Compute the mean over the last axis without NaN. It is NaN if all are."""
    defined: Bools = ~np.isnan(values)
    return _divide(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))

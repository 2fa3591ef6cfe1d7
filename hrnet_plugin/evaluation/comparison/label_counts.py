"""Numbers of pixels per image and label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hrnet_plugin.array_types import Ints
from hrnet_plugin.evaluation.comparison.label_maps import LabelMaps

_HIGHEST = 2**16 - 1  # label of a PNG file
_REDUCED = 255  # label 0 after reduce_zero_label
_MAX_CELLS = 2**22  # of a table of all pairs of labels, larger ones are slower than sorting


@dataclass(frozen=True)
class LabelCounts:
    """Numbers of pixels of an image by pair of labels, for the pairs that occur.

    Attributes:
        labeled: Ground-truth labels, shape (P,).
        predicted: Predicted labels, or -1 for predictions that are no label, shape (P,).
        pixels: Numbers of pixels, shape (P,).
    """

    labeled: Ints
    predicted: Ints
    pixels: Ints


@dataclass(frozen=True)
class LabelRules:
    """Meaning of the labels in label maps.

    Attributes:
        classes: Number of classes, or None to count them: up to the largest label.
        ignore_index: Label of ground-truth pixels that are not evaluated. Predictions of it count if it is a class.
        reduce_zero_label: Whether to ignore label 0 and to reduce the others by 1, as mmseg does for ADE20K.
        label_map: Ground-truth label -> label of a config that has other classes than its dataset. It is applied after
            ``reduce_zero_label``. Other labels are unchanged.
    """

    classes: int | None = None
    ignore_index: int = 255
    reduce_zero_label: bool = False
    label_map: Mapping[int, int] = field(default_factory=dict)

    @property
    def highest(self) -> int:
        """Highest label of a class. If the classes are counted, that of a file."""
        return _HIGHEST if self.classes is None else self.classes - 1

    def reduce(self, labels: Ints) -> Ints:
        """Return the labels of a file after ``reduce_zero_label``."""
        if not self.reduce_zero_label:
            return labels
        return np.where((labels == 0) | (labels == _REDUCED), _REDUCED, labels - 1)

    def read_truth(self, labels: Ints) -> Ints:
        """Return the labels of a ground-truth file after ``reduce_zero_label`` and ``label_map``."""
        labels = self.reduce(labels)
        if not self.label_map or not labels.size:
            return labels
        table = np.arange(max(labels.max(), *self.label_map) + 1)
        table[list(self.label_map)] = list(self.label_map.values())
        return table[labels]


def count_labels(truth: LabelMaps, predictions: LabelMaps, names: Sequence[str],
                 rules: LabelRules) -> list[LabelCounts]:
    """Count the pixels of each image by label.

    Pixels that the ground truth ignores do not count. On others, predictions equal to ``ignore_index`` count, as in
    mmseg.

    Args:
        truth, predictions: Label maps.
        names: Names of the images.
        rules: Meaning of the labels.

    Raises:
        ValueError: If two label maps differ in size, or a label is out of range.
    """
    return [_count_image(truth, predictions, name, rules) for name in names]


def count_classes(models: Iterable[Iterable[LabelCounts]], rules: LabelRules) -> int:
    """Return the number of classes: by default, up to the highest label of any model that is not ignored."""
    if rules.classes is not None:
        return rules.classes
    rows = (row for counts in models for image in counts for row in (image.predicted, image.labeled))
    labels = {int(label) for row in rows for label in row} - {rules.ignore_index}
    return max(labels, default=-1) + 1


def _count_image(truth: LabelMaps, predictions: LabelMaps, name: str, rules: LabelRules) -> LabelCounts:
    labels, found = rules.read_truth(truth.read(name)), predictions.read(name)
    found = rules.reduce(found) if predictions.are_files else found
    if labels.shape != found.shape:
        raise ValueError(f'{predictions.path} must have label maps of the size of the ground truth, got '
                         f'{found.shape[1]} x {found.shape[0]} for {name}, which is {labels.shape[1]} x '
                         f'{labels.shape[0]}')
    valid = labels != rules.ignore_index
    labels, found = labels[valid], found[valid]
    known = found[found != _REDUCED] if rules.reduce_zero_label else found
    for maps, values in ((truth, labels), (predictions, known[known != rules.ignore_index])):
        _check_labels(values, f'{maps.path}, {name}', rules)
    # an ignore_index that is no class is unlabeled
    return _count_pairs(labels, np.where((found >= 0) & (found <= rules.highest), found, -1))


def _count_pairs(labels: Ints, found: Ints) -> LabelCounts:
    """Count the pairs of labels of two arrays of the same shape (N,). Predictions start at -1."""
    columns = int(found.max(initial=-1)) + 2
    cells = labels.astype(np.int64) * columns + found + 1
    if int(cells.max(initial=0)) < _MAX_CELLS:
        counts = np.bincount(cells)
        places = np.flatnonzero(counts)
        pixels = counts[places]
    else:
        places, pixels = np.unique(cells, return_counts=True)
    return LabelCounts(places // columns, places % columns - 1, pixels)


def _check_labels(values: Ints, where: str, rules: LabelRules) -> None:
    if values.size and not 0 <= values.min() <= values.max() <= rules.highest:
        wrong = values.min() if values.min() < 0 else values.max()
        raise ValueError(f'{where}: labels must be from 0 to {rules.highest}, or {rules.ignore_index} for ignored '
                         f'pixels, got {wrong}. Check the number of classes, --ignore-index and --reduce-zero-label.')

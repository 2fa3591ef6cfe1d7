"""Result of a comparison of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# types of false positives, and missed objects
ERROR_TYPES = ('classification', 'localisation', 'both', 'duplicate', 'background', 'missed')


@dataclass(frozen=True)
class Interval:
    """Confidence interval of an AP difference: second model minus first model.

    Attributes:
        difference: Difference on all images, in [-1, 1].
        low, high: Bounds of the 95% interval.
        better: Fraction of the draws in which the second model has the higher AP.
        equal: Fraction of the draws with equal AP.
        draws: Number of bootstrap draws.
    """

    difference: float
    low: float
    high: float
    better: float
    equal: float
    draws: int


@dataclass(frozen=True)
class Errors:
    """Errors of a model by type.

    Attributes:
        numbers: Error type -> number of detections, or of objects for 'missed'.
        costs: Error type -> increase of AP50 without these errors, in [0, 1].
    """

    numbers: Mapping[str, int]
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Comparison of two files of detections on the same images. Pairs are (first, second).

    Attributes:
        names: Names of the models.
        kind: 'bbox' or 'segm'.
        images: Number of images.
        covered: Number of images with detections.
        metrics: Metric -> pair of values in [0, 1]. None if no ground-truth object has the size.
        interval: Confidence interval of the AP difference.
        errors: Errors by type.
        classes: Class -> pair of APs.
        differing: File names of the images with the largest differences, with their pairs of
            :func:`~hrnet_plugin.evaluation.comparison.compare.image_precisions`. The list begins with those on which
            the second model is better.
    """

    names: tuple[str, str]
    kind: str
    images: int
    covered: tuple[int, int]
    metrics: Mapping[str, tuple[float | None, float | None]]
    interval: Interval
    errors: tuple[Errors, Errors]
    classes: Mapping[str, tuple[float | None, float | None]]
    differing: Sequence[tuple[str, tuple[float, float]]]

"""Results of comparisons of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrnet_plugin.evaluation.analysis.analysis import Analysis

#: Error types of boxes and masks: those of false positives, and missed objects.
ERROR_TYPES = ('classification', 'localization', 'both', 'duplicate', 'background', 'missed')
#: Types of labeled keypoints: good ones, and error types.
KEYPOINT_TYPES = ('good', 'jitter', 'inversion', 'swap', 'miss', 'undetected')


@dataclass(frozen=True)
class Interval:
    """Confidence interval of the difference of a metric: second model minus first model.

    Attributes:
        difference: Difference on all images, in [-1, 1].
        low, high: Bounds of the 95% interval.
        better: Fraction of the draws in which the second model has the higher metric.
        equal: Fraction of the draws in which both models have the same metric.
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
        numbers: Error type -> number of detections, or of objects for 'missed'. For keypoints, number of keypoints.
        costs: Error type -> increase of AP50 without these errors, in [0, 1]. For keypoints, decrease of the mean OKS
            by these errors.
    """

    numbers: Mapping[str, int]
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Comparison of two models on the same images. Pairs are (first, second).

    Attributes:
        names: Names of the models.
        kind: 'bbox', 'segm', 'keypoints' or 'semantic'.
        images: Number of evaluated images.
        covered: Number of these images with predictions.
        uncovered: Number of these images without predictions of either model.
        metrics: Metric -> pair of values in [0, 1]. None if it is not defined, e.g. if no object has the size.
            ``interval`` refers to the first metric.
        interval: Confidence interval of the difference of the first metric.
        classes: Class -> pair of APs, or of IoUs for 'semantic'.
        differing: File names of the images with the largest differences, with their pairs of scores. The list begins
            with those on which the second model is better, in descending order of the difference. See
            :func:`~hrnet_plugin.evaluation.comparison.precisions.image_precisions` and
            :meth:`~hrnet_plugin.evaluation.comparison.areas.ImageAreas.image_scores`.
        analyses: Curves, confusion matrix and score histograms of each model.
    """

    names: tuple[str, str]
    kind: str
    images: int
    covered: tuple[int, int]
    uncovered: int
    metrics: Mapping[str, tuple[float | None, float | None]]
    interval: Interval
    classes: Mapping[str, tuple[float | None, float | None]]
    differing: Sequence[tuple[str, tuple[float, float]]]
    analyses: tuple[Analysis, Analysis]


@dataclass(frozen=True)
class DetectionComparison(Comparison):
    """Comparison of boxes or masks.

    Attributes:
        errors: Errors by type, :data:`ERROR_TYPES`.
    """

    errors: tuple[Errors, Errors]


@dataclass(frozen=True)
class KeypointComparison(Comparison):
    """Comparison of keypoints.

    Attributes:
        errors: Labeled keypoints by type, :data:`KEYPOINT_TYPES`.
        keypoints: Keypoint -> pair of fractions of good keypoints among the labeled ones. None if none is labeled.
    """

    errors: tuple[Errors, Errors]
    keypoints: Mapping[str, tuple[float | None, float | None]]


#: kind -> type of comparison
KINDS: Mapping[str, type[Comparison]] = {
    'bbox': DetectionComparison, 'segm': DetectionComparison, 'keypoints': KeypointComparison, 'semantic': Comparison}

"""Evaluation of one model, as comparisons of all tasks use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.analysis.analysis import Analysis
from hrnet_plugin.evaluation.comparison.bootstrap import Statistic
from hrnet_plugin.evaluation.comparison.comparison import Errors


@dataclass(frozen=True, kw_only=True)
class Model:
    """Evaluation of one model.

    Attributes:
        kind: 'bbox', 'segm', 'keypoints' or 'semantic'.
        images: File names of the evaluated images, number I.
        covered: Indices of the images with predictions.
        statistic: First metric as a function of image weights.
        image_scores: Scores of the images in [0, 1], shape (I,).
        metrics: Metric -> value in [0, 1], or None if it is not defined.
        classes: Class -> first metric of the class, or None if it is not defined.
        analysis: Curves, confusion matrix and score histograms.
        errors: Errors by type. None for 'semantic'.
        keypoints: Keypoint -> fraction of good ones. Empty except for 'keypoints'.
    """

    kind: str
    images: Sequence[str]
    covered: frozenset[int]
    statistic: Statistic
    image_scores: Floats
    metrics: Mapping[str, float | None]
    classes: Mapping[str, float | None]
    analysis: Analysis
    errors: Errors | None = None
    keypoints: Mapping[str, float | None] = field(default_factory=dict)

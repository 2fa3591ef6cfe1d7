"""AP over classes of resampled images, and scores of single images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.comparison.matches import ClassMatches


@dataclass(frozen=True)
class MeanPrecision:
    """Mean AP over all classes with objects, as a function of image weights.

    Args:
        matches: Matches of each class.
    """

    matches: Sequence[ClassMatches]

    @cached_property
    def objects(self) -> Floats:
        """Number of objects in each image, shape (I,)."""
        return np.sum([match.objects for match in self.matches], axis=0) if self.matches else np.zeros(0)

    def __call__(self, weights: Floats) -> Floats:
        """Compute the mean AP for each row of weights, shape (B, I)."""
        total, number = np.zeros(len(weights)), np.zeros(len(weights))
        for match in self.matches:
            if match.objects.any():
                values = match.precision(weights).mean(axis=0)
                defined = ~np.isnan(values)
                total[defined] += values[defined]
                number += defined
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def mean_precision(matches: Sequence[ClassMatches], weights: Floats | None = None) -> float:
    """Compute the mean AP over all classes with objects, or NaN without objects.

    Args:
        matches: Matches of each class.
        weights: Number of times that each image counts, shape (I,). Default: once.
    """
    if not matches:
        return float('nan')
    weights = np.ones(len(matches[0].objects)) if weights is None else weights
    return float(MeanPrecision(matches)(weights[None])[0])


def image_precisions(matches: Sequence[ClassMatches]) -> Floats:
    """Compute a score in [0, 1] per image: the mean over the classes of its objects and detections.

    For a class with objects in the image, it is the AP on this image alone. For any other class, it is 1 minus the
    highest score of a detection. An image without objects and detections has the score 1.

    Args:
        matches: Matches of each class.

    Returns:
        Scores, shape (I,).
    """
    total, number = np.zeros(len(matches[0].objects)), np.zeros(len(matches[0].objects))
    for match in matches:
        has_objects = match.objects > 0
        highest = np.full(len(total), np.nan)
        np.fmax.at(highest, match.images[match.counted[0]], match.scores[match.counted[0]])
        wrong = ~has_objects & ~np.isnan(highest)
        total[wrong] += 1 - highest[wrong]
        number += wrong | has_objects
        total += match.image_precision()
    return np.where(number > 0, total / np.maximum(number, 1), 1.)

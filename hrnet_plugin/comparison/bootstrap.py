"""How sure a difference is: the same images, drawn again and again, for both models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrnet_plugin.comparison.matches import ClassMatches, mean_precision

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """The second model's AP less the first one's.

    Attributes:
        difference: On all images, a fraction.
        low, high: Ends of the 95 per cent interval.
        better: Share of the draws in which the second one is better.
        draws: How many there were.
    """

    difference: float
    low: float
    high: float
    better: float
    draws: int


def paired_interval(first: Sequence[ClassMatches], second: Sequence[ClassMatches], draws: int = 1000,
                    seed: int = 0) -> Interval:
    """The percentile interval of the paired bootstrap over images.

    A draw takes as many images as there are, with replacement; both models are evaluated on it. What a hard image does
    to both drops out of the difference.

    Args:
        first, second: Matches on the same images and classes.
        draws: How many.
        seed: Of the draws: the same seed gives the same interval.

    Raises:
        ValueError: If there are no images, or less than one draw.
    """
    images = len(first[0].objects) if first else 0
    if images == 0 or draws < 1:
        raise ValueError(f'draws must be at least 1, of at least one image, got {draws} of {images}')
    generator = np.random.default_rng(seed)
    found = np.empty(draws)
    for k in range(draws):
        weights = generator.multinomial(images, np.full(images, 1 / images)).astype(float)
        found[k] = mean_precision(second, weights) - mean_precision(first, weights)
    found = found[np.isfinite(found)]  # a draw without any object has no AP
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean_precision(second) - mean_precision(first), float(low), float(high),
                    float(np.mean(found > 0)), draws)

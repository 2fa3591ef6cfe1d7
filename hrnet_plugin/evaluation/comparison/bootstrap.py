"""How sure a difference is: the same images, drawn again and again, for both models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.comparison.comparison import Interval
from hrnet_plugin.evaluation.comparison.matches import ClassMatches, mean_precision

CONFIDENCE = 0.95


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
        ValueError: If there are no objects, or less than one draw.
    """
    objects = np.sum([match.objects for match in first], axis=0) if first else np.zeros(0)
    if not objects.any() or draws < 1:
        raise ValueError(f'draws must be at least 1, of at least one object, got {draws} of {int(objects.sum())}')
    generator = np.random.default_rng(seed)
    found = np.empty(draws)
    for k in range(draws):
        weights = _draw(generator, objects)
        found[k] = mean_precision(second, weights) - mean_precision(first, weights)
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean_precision(second) - mean_precision(first), float(low), float(high),
                    float(np.mean(found > 0)), float(np.mean(found == 0)), draws)


def _draw(generator: np.random.Generator, objects: Floats) -> Floats:
    """How often each image is drawn; again, if there is no object in any of them."""
    images = len(objects)
    while True:
        weights = generator.multinomial(images, np.full(images, 1 / images)).astype(float)
        if weights @ objects:
            return weights

"""Paired bootstrap over images for the AP difference of two models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.comparison.comparison import Interval
from hrnet_plugin.evaluation.comparison.matches import ClassMatches, mean_precision

CONFIDENCE = 0.95


def paired_interval(first: Sequence[ClassMatches], second: Sequence[ClassMatches], draws: int = 1000,
                    seed: int = 0) -> Interval:
    """Compute the percentile interval of the AP difference by a paired bootstrap over images.

    Each draw resamples all images with replacement and evaluates both models on them. Pairing removes the variance that
    both models share, e.g. from hard images.

    Args:
        first, second: Matches on the same images and classes.
        draws: Number of bootstrap draws, at least 1.
        seed: Seed of the random number generator.

    Raises:
        ValueError: If there are no objects, or less than one draw.
    """
    objects = np.sum([match.objects for match in first], axis=0) if first else np.zeros(0)
    if not objects.any() or draws < 1:
        raise ValueError(f'draws must be at least 1, of at least one object, got {draws} of {int(objects.sum())}')
    generator = np.random.default_rng(seed)
    differences = np.empty(draws)
    for k in range(draws):
        weights = _draw(generator, objects)
        differences[k] = mean_precision(second, weights) - mean_precision(first, weights)
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(mean_precision(second) - mean_precision(first), float(low), float(high),
                    float(np.mean(differences > 0)), float(np.mean(differences == 0)), draws)


def _draw(generator: np.random.Generator, objects: Floats) -> Floats:
    """Draw how often each image counts. Repeat the draw if no drawn image has an object."""
    images = len(objects)
    while True:
        weights = generator.multinomial(images, np.full(images, 1 / images)).astype(float)
        if weights @ objects:
            return weights

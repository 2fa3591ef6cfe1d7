"""Paired bootstrap over images for the difference of two models in a metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.comparison.comparison import Interval

CONFIDENCE = 0.95
_BATCH = 64  # draws that are evaluated at once; more need more memory and are not faster


class Statistic(Protocol):
    """Metric of a model as a function of image weights."""

    @property
    def objects(self) -> Floats:
        """Number of objects or labeled pixels in each image, shape (I,). The metric needs at least one."""

    def __call__(self, weights: Floats) -> Floats:
        """Compute the metric for each row of weights.

        Args:
            weights: Number of times that each image counts, shape (B, I).

        Returns:
            Metrics in [0, 1], shape (B,). NaN for rows without objects.
        """


def paired_interval(first: Statistic, second: Statistic, draws: int = 1000, seed: int = 0) -> Interval:
    """Compute the percentile interval of the difference by a paired bootstrap over images.

    Each draw resamples all images with replacement and evaluates both models on them. Pairing removes the variance that
    both models share, e.g. from hard images.

    Args:
        first, second: Metric of each model on the same images.
        draws: Number of bootstrap draws, at least 1.
        seed: Seed of the random number generator.

    Raises:
        ValueError: If there are no objects, or less than one draw.
    """
    objects = first.objects
    if not objects.any() or draws < 1:
        raise ValueError(f'draws must be at least 1, of at least one object, got {draws} of {int(objects.sum())}')
    whole = np.ones((1, len(objects)))
    generator = np.random.default_rng(seed)
    differences = np.concatenate([second(weights) - first(weights) for weights in _draw(generator, objects, draws)])
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float((second(whole) - first(whole))[0]), float(low), float(high), float(np.mean(differences > 0)),
                    float(np.mean(differences == 0)), draws)


def _draw(generator: np.random.Generator, objects: Floats, draws: int) -> Iterator[Floats]:
    """Iterate over batches of weights, shape (B, I). Repeat a draw if no drawn image has an object."""
    for start in range(0, draws, _BATCH):
        yield np.stack([_draw_once(generator, objects) for _ in range(min(_BATCH, draws - start))])


def _draw_once(generator: np.random.Generator, objects: Floats) -> Floats:
    images = len(objects)
    while True:
        weights = generator.multinomial(images, np.full(images, 1 / images)).astype(float)
        if weights @ objects:
            return weights

"""All that is said of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# of a detection without an object; and objects without a detection
KINDS = ('classification', 'localisation', 'both', 'duplicate', 'background', 'missed')


@dataclass(frozen=True)
class Interval:
    """The second model's AP less the first one's.

    Attributes:
        difference: On all images, a fraction.
        low, high: Ends of the 95 per cent interval.
        better: Share of the draws in which the second one is better.
        equal: Share of those in which the two are equal.
        draws: How many there were.
    """

    difference: float
    low: float
    high: float
    better: float
    equal: float
    draws: int


@dataclass(frozen=True)
class Errors:
    """The errors of a model.

    Attributes:
        numbers: Kind -> how many detections, or for 'missed' objects.
        costs: Kind -> how much higher AP50 would be without them, a fraction.
    """

    numbers: Mapping[str, int]
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    """Two files of detections on the same images; pairs are of the first one and the second one.

    Attributes:
        names: Of the two.
        kind: 'bbox' or 'segm'.
        images: How many there are.
        covered: In how many of them there is a detection.
        metrics: Name -> pair of fractions, None where nothing is to be found.
        interval: Of the difference of their APs.
        errors: Pair.
        classes: Class -> pair of APs.
        differing: File names of the images on which they differ most, with the pair of :func:`image_precisions`; those
            on which the second one is better first.
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

"""Analysis of one model on one set of images, as it is stored in JSON files."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.array_types import Floats

#: Recalls of the curves.
RECALLS = tuple(k / 100 for k in range(101))
#: Default of the minimum score in confusion matrices, that of mmdet's confusion matrix and visualizations.
SCORE_THRESHOLD = 0.3
#: Integer in files that stands for precision 1.
PRECISION_UNIT = 10_000
#: Bounds of the bins of score histograms.
EDGES = tuple(k / 20 for k in range(21))


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Precision-recall curves of all objects, with the interpolated precision of the COCO API.

    Encoded values are base64 of little-endian numbers without padding between them. Precisions are unsigned 16-bit
    integers in units of 1 / 10,000, shape (T, 101) in C order. Scores are 32-bit floats, shape (101,).

    Attributes:
        thresholds: IoU or OKS of each curve, number T.
        precision: Encoded precision of each class. None for classes without objects.
        mean: Encoded mean precision over the classes with objects.
        scores: Encoded scores of each class at each recall at the first threshold. 0 for recalls that are not reached.
            None for classes without objects.
    """

    thresholds: Sequence[float]
    precision: Sequence[str | None]
    mean: str
    scores: Sequence[str | None]


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Confusion matrix.

    Attributes:
        overlap: Minimum IoU or OKS of a match. None for 'semantic', which counts pixels.
        score: Minimum score of the predictions. None for 'semantic'.
        counts: Rows are ground-truth classes and columns predicted classes, in the order of the classes. The last row
            is background: false positives. The last column is background: undetected objects. For 'semantic', the last
            column is of predictions without a class, and the last row is 0.
    """

    overlap: float | None
    score: float | None
    counts: Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Histograms:
    """Numbers of predictions by score.

    Attributes:
        overlap: Minimum IoU or OKS of a true positive.
        edges: Bounds of the bins. Other scores count in the first or last bin.
        true_positives, false_positives: Numbers of predictions of each class, shape (C, bins).
    """

    overlap: float
    edges: Sequence[float]
    true_positives: Sequence[Sequence[int]]
    false_positives: Sequence[Sequence[int]]


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Analysis of one model on one set of images.

    Attributes:
        kind: 'bbox', 'segm', 'keypoints' or 'semantic'.
        images: Number of evaluated images.
        classes: Names of the classes. Other attributes are in their order.
        precision: AP of each class, or IoU for 'semantic'. None if it is not defined.
        objects: Numbers of objects that are not ignored. Numbers of pixels for 'semantic'.
        predictions: Numbers of predictions that are not ignored at the overlap of the histograms. Numbers of pixels for
            'semantic'.
        confusion: Confusion matrix.
        curves: Precision-recall curves. None for 'semantic'.
        histograms: Score histograms. None for 'semantic'.
    """

    kind: str
    images: int
    classes: Sequence[str]
    precision: Sequence[float | None]
    objects: Sequence[int]
    predictions: Sequence[int]
    confusion: Confusion
    curves: Curves | None = None
    histograms: Histograms | None = None


def encode_precision(precision: Floats) -> str:
    """Encode precisions in [0, 1], shape (T, 101)."""
    return _encode(np.rint(precision * PRECISION_UNIT).astype('<u2'))


def decode_precision(text: str) -> Floats:
    """Decode the precisions of a class, shape (T, 101).

    Raises:
        ValueError: If the text does not encode rows of 101 precisions.
    """
    found = _decode(text, '<u2')
    if not found.size or found.size % len(RECALLS) or found.max() > PRECISION_UNIT:
        raise ValueError(f'precisions must be rows of {len(RECALLS)} numbers up to {PRECISION_UNIT}, got {found.size} '
                         f'up to {found.max(initial=0)}')
    return found.reshape(-1, len(RECALLS)) / PRECISION_UNIT


def encode_scores(scores: Floats) -> str:
    """Encode scores, shape (101,). Those beyond the range of 32-bit floats become its bounds."""
    bounds = np.finfo('<f4')
    return _encode(scores.clip(bounds.min, bounds.max).astype('<f4'))


def decode_scores(text: str) -> Floats:
    """Decode the scores of a class, shape (101,).

    Raises:
        ValueError: If the text does not encode 101 finite numbers.
    """
    found = _decode(text, '<f4')
    if found.shape != (len(RECALLS), ) or not np.isfinite(found).all():
        raise ValueError(f'scores must be {len(RECALLS)} finite numbers, got {found.size}')
    return found


def _decode(text: str, dtype: str) -> NDArray[Any]:
    try:
        return np.frombuffer(base64.b64decode(text, validate=True), dtype)
    except ValueError as error:  # invalid base64, or an incomplete number
        raise ValueError(f'curves must be base64 of numbers, got {error}') from None


def _encode(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode('ascii')

"""All that is said of two models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hrnet_plugin.comparison.bootstrap import Interval, paired_interval
from hrnet_plugin.comparison.errors import Errors, count_errors
from hrnet_plugin.comparison.matches import ClassMatches, class_matches
from hrnet_plugin.leaderboard.coco_evaluation import figures, read_annotations, run_api


@dataclass(frozen=True)
class Comparison:
    """Two files of detections on the same images; pairs are of the first one and the second one.

    Attributes:
        names: Of the two.
        kind: 'bbox' or 'segm'.
        images: How many there are.
        metrics: Name -> pair of fractions, None where nothing is to be found.
        interval: Of the difference of their APs.
        errors: Pair.
        classes: Class -> pair of APs.
        differing: File names of the images on which their APs differ most, with the pair; the second's advantage first.
    """

    names: tuple[str, str]
    kind: str
    images: int
    metrics: Mapping[str, tuple[float | None, float | None]]
    interval: Interval
    errors: tuple[Errors, Errors]
    classes: Mapping[str, tuple[float | None, float | None]]
    differing: Sequence[tuple[str, tuple[float, float]]]


def compare(annotations: str | Path, first: str | Path, second: str | Path, kind: str = 'bbox',
            names: tuple[str, str] = ('first', 'second'), draws: int = 1000, seed: int = 0,
            most: int = 20) -> Comparison:
    """Compare two files of detections.

    Args:
        annotations: File with the truth, in COCO's format.
        first, second: Files in the format for submissions.
        kind: 'bbox' or 'segm'.
        names: For people.
        draws, seed: Of :func:`~hrnet_plugin.comparison.bootstrap.paired_interval`.
        most: How many differing images are named, of either sign.

    Raises:
        ValueError: If there are no objects, and as
            :func:`~hrnet_plugin.leaderboard.coco_evaluation.evaluate_detections` does.
    """
    truth = read_annotations(annotations)
    evaluations = [run_api(truth, results, kind) for results in (first, second)]
    matches = [class_matches(evaluation) for evaluation in evaluations]
    if not any(match.objects.any() for match in matches[0]):
        raise ValueError(f'annotations must have objects, got none in {annotations}')
    found = [figures(evaluation) for evaluation in evaluations]
    pair: Any = [{name: (one, other[name]) for name, one in first.items()}
                 for first, other in zip((found[0].metrics, found[0].classes), (found[1].metrics, found[1].classes))]
    return Comparison(
        names=names, kind=kind, images=found[0].images, metrics=pair[0], classes=pair[1],
        interval=paired_interval(matches[0], matches[1], draws, seed),
        errors=(count_errors(evaluations[0]), count_errors(evaluations[1])),
        differing=_differing(evaluations[0], matches, most))


def _differing(evaluation: Any, matches: Sequence[Sequence[ClassMatches]], most: int,
               ) -> list[tuple[str, tuple[float, float]]]:
    precisions = np.array([image_precisions(model) for model in matches])
    differences = np.nan_to_num(precisions[1] - precisions[0])  # an image without objects has no AP
    order = np.argsort(-differences, kind='mergesort')
    chosen = [k for k in [*order[:most], *order[max(most, len(order) - most):]] if differences[k] != 0]
    images = [evaluation.cocoGt.imgs[evaluation.params.imgIds[k]] for k in chosen]
    return [(str(image.get('file_name', image['id'])), (float(precisions[0, k]), float(precisions[1, k])))
            for image, k in zip(images, chosen)]


def image_precisions(matches: Sequence[ClassMatches]) -> np.ndarray:
    """AP of each image as if it were the only one, over the classes of its objects; not a number without any."""
    images = len(matches[0].objects)
    total, number = np.zeros(images), np.zeros(images)
    for match in matches:
        for image in np.flatnonzero(match.objects):
            mine = match.images == image
            alone = ClassMatches(match.scores[mine], np.zeros(mine.sum(), int), match.hits[:, mine],
                                 match.counted[:, mine], match.objects[image:image + 1])
            precision = alone.precision()
            assert precision is not None  # it has objects
            total[image] += precision.mean()
            number[image] += 1
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)

"""Comparison of two files of detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.evaluation.coco_evaluation import Evaluation, collect_metrics, read_annotations, run_api
from hrnet_plugin.evaluation.comparison.bootstrap import paired_interval
from hrnet_plugin.evaluation.comparison.comparison import Comparison, Errors
from hrnet_plugin.evaluation.comparison.errors import count_errors
from hrnet_plugin.evaluation.comparison.matches import ClassMatches, class_matches, mean_precision

if TYPE_CHECKING:
    from pycocotools.coco import COCO


def compare(annotations: str | Path, first: str | Path, second: str | Path, kind: str = 'bbox',
            names: tuple[str, str] = ('first', 'second'), draws: int = 1000, seed: int = 0,
            most: int = 20) -> Comparison:
    """Compare two files of detections.

    Args:
        annotations: COCO annotation file.
        first, second: Files in COCO's results format.
        kind: 'bbox' or 'segm'.
        names: Names of the two models in reports.
        draws: Number of bootstrap draws, at least 1.
        seed: Seed of the random number generator.
        most: Maximum number of listed images on which each model is better.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If there are no objects, or the detections or annotations are invalid. See
            :func:`~hrnet_plugin.evaluation.coco_evaluation.evaluate_detections`.
    """
    truth = read_annotations(annotations)
    if all(annotation['iscrowd'] for annotation in truth.anns.values()):
        raise ValueError(f'annotations must have objects, got none in {annotations}')
    one, other = (_Model.of(truth, results, kind) for results in (first, second))
    interval = paired_interval(one.matches, other.matches, draws, seed)
    files = [str(image.get('file_name', number)) for number, image in sorted(truth.imgs.items())]
    return Comparison(
        names=names, kind=kind, images=len(files), covered=(one.covered, other.covered), interval=interval,
        metrics={name: (value, other.evaluation.metrics[name]) for name, value in one.evaluation.metrics.items()},
        classes={name: (value, other.evaluation.classes[name]) for name, value in one.evaluation.classes.items()},
        errors=(one.errors, other.errors), differing=_differing(files, one.matches, other.matches, most))


@dataclass(frozen=True)
class _Model:
    """Parts of an evaluation that the comparison uses. A whole evaluation of COCO takes gigabytes."""
    matches: list[ClassMatches]
    evaluation: Evaluation
    errors: Errors
    covered: int

    @classmethod
    def of(cls, truth: COCO, results: str | Path, kind: str) -> _Model:
        evaluation = run_api(truth, results, kind)
        covered = len({detection['image_id'] for detection in evaluation.cocoDt.anns.values()})
        return cls(class_matches(evaluation), collect_metrics(evaluation), count_errors(evaluation), covered)


def _differing(files: Sequence[str], first: Sequence[ClassMatches], second: Sequence[ClassMatches], most: int,
               ) -> list[tuple[str, tuple[float, float]]]:
    one, other = image_precisions(first), image_precisions(second)
    order = np.argsort(one - other, kind='mergesort')
    chosen = [k for k in [*order[:most], *order[max(most, len(order) - most):]] if one[k] != other[k]]
    return [(files[k], (float(one[k]), float(other[k]))) for k in chosen]


def image_precisions(matches: Sequence[ClassMatches]) -> Floats:
    """Compute a score in [0, 1] per image: the mean over the classes of its objects and detections.

    For a class with objects in the image, it is the AP on this image alone. For any other class, it is 1 minus the
    highest score of a detection. An image without objects and detections has the score 1.

    Args:
        matches: Matches of each class.

    Returns:
        Scores, shape (I,).
    """
    images = len(matches[0].objects)
    total, number = np.zeros(images), np.zeros(images)
    for match in matches:
        threshold = match.counted[0]
        for image in np.union1d(np.flatnonzero(match.objects), match.images[threshold]):
            mine = match.images == image
            number[image] += 1
            if match.objects[image] == 0:
                total[image] += 1 - match.scores[mine & threshold].max()
                continue
            alone = ClassMatches(match.scores[mine], np.zeros(mine.sum(), int), match.hits[:, mine],
                                 match.counted[:, mine], match.objects[image:image + 1])
            total[image] += mean_precision([alone])
    return np.where(number > 0, total / np.maximum(number, 1), 1.)

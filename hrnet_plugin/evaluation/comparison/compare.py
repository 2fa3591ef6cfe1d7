"""Comparison of two models from their results on the same images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hrnet_plugin.evaluation.analysis.analysis import SCORE_THRESHOLD
from hrnet_plugin.evaluation.comparison.bootstrap import paired_interval
from hrnet_plugin.evaluation.comparison.comparison import KINDS, Comparison
from hrnet_plugin.evaluation.comparison.detection import evaluate_files
from hrnet_plugin.evaluation.comparison.inputs import SEMANTIC, check_options, is_semantic
from hrnet_plugin.evaluation.comparison.model import Model
from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions, evaluate_label_maps


def compare(annotations: str | Path, first: str | Path, second: str | Path, kind: str | None = None,
            names: tuple[str, str] = ('first', 'second'), draws: int = 1000, seed: int = 0, most: int = 20, *,
            subset: str | Path | None = None, sigmas: Sequence[float] | None = None,
            labels: LabelOptions | None = None, score_threshold: float | None = None) -> Comparison:
    """Compare the results of two models on the same images.

    Args:
        annotations: COCO annotation file. For 'semantic', the folder of the ground-truth label maps.
        first, second: Files in COCO's results format, or work directories of ``hrnet test --record``. For 'semantic',
            folders of label maps, or files of ``hrnet test --out``.
        kind: 'bbox', 'segm', 'keypoints' or 'semantic'. Default: the kind of the results.
        names: Names of the two models in reports.
        draws: Number of bootstrap draws, at least 1.
        seed: Seed of the random number generator.
        most: Maximum number of listed images on which each model is better.
        subset: Images to evaluate, see :func:`~hrnet_plugin.evaluation.tested_images.evaluated_images`. Not for
            'semantic'.
        sigmas: Sigmas of the keypoints. Default: those of COCO, for the keypoints of COCO. For 'keypoints' only.
        labels: Files and labels. For 'semantic' only.
        score_threshold: Minimum score of predictions in the confusion matrix. Default:
            :data:`~hrnet_plugin.evaluation.analysis.analysis.SCORE_THRESHOLD`. Not for 'semantic'.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If there are no objects, the results or annotations are invalid, or ``score_threshold`` is not
            finite. Also if ``subset``, ``sigmas``, ``labels`` or ``score_threshold`` is set for another kind. See
            :func:`~hrnet_plugin.evaluation.coco_evaluation.evaluate_detections`.
    """
    if score_threshold is not None and not math.isfinite(score_threshold):
        raise ValueError(f'score_threshold must be a finite number, got {score_threshold}')
    paths = Path(first), Path(second)
    if is_semantic(Path(annotations), paths, kind):
        check_options(SEMANTIC, subset=subset, sigmas=sigmas, score_threshold=score_threshold)
        one, other = evaluate_label_maps(annotations, paths, labels or LabelOptions())
    else:
        one, other = evaluate_files(
            annotations, paths, kind, subset=subset, sigmas=sigmas, labels=labels,
            score_threshold=SCORE_THRESHOLD if score_threshold is None else score_threshold)
    return KINDS[one.kind](
        names=names, kind=one.kind, images=len(one.images), covered=(len(one.covered), len(other.covered)),
        uncovered=len(one.images) - len(one.covered | other.covered), metrics=_pair(one.metrics, other.metrics),
        interval=paired_interval(one.statistic, other.statistic, draws, seed),
        classes=_pair(one.classes, other.classes), differing=_differing(one, other, most),
        analyses=(one.analysis, other.analysis), **_details(one, other))


def _details(one: Model, other: Model) -> dict[str, Any]:
    """Return the fields of the types of comparison that not all kinds have."""
    details: dict[str, Any] = {}
    if one.errors is not None:
        details['errors'] = one.errors, other.errors
    if one.keypoints:
        details['keypoints'] = _pair(one.keypoints, other.keypoints)
    return details


def _pair(first: Mapping[str, float | None], second: Mapping[str, float | None],
          ) -> dict[str, tuple[float | None, float | None]]:
    return {name: (value, second[name]) for name, value in first.items()}


def _differing(one: Model, other: Model, most: int) -> list[tuple[str, tuple[float, float]]]:
    """Return the images with the largest differences by descending score of the second model minus that of the first.

    Args:
        one, other: First and second model.
        most: Maximum number of images on which each model is better.
    """
    first, second = one.image_scores, other.image_scores
    order = np.argsort(first - second, kind='mergesort')
    better, worse = order[second[order] > first[order]], order[second[order] < first[order]]
    return [(one.images[k], (float(first[k]), float(second[k])))
            for k in (*better[:most], *worse[max(0, len(worse) - most):])]

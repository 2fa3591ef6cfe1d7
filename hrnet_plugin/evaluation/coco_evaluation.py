"""Evaluation of boxes, masks and keypoints as by the COCO API, without rounding and per class.

mmdet's evaluator rounds to three digits. For all metrics but AP, it uses more than the 100 detections with the highest
scores per class and image.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO

from hrnet_plugin.evaluation.annotation_files import check_ids, read_sections
from hrnet_plugin.evaluation.coco_checks import (
    FileAnnotations,
    check_annotations,
    check_image_sizes,
    name_of,
    result_checker,
)
from hrnet_plugin.evaluation.coco_keypoints import choose_sigmas, keypoint_categories, keypoint_names
from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation
from hrnet_plugin.json_files import DATA_BYTES, DATA_DEPTH, parse_json, read_bytes

_NAMES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl')
_METRICS = {'bbox': _NAMES, 'segm': tuple(f'mask {name}' for name in _NAMES),
            'keypoints': ('AP', 'AP50', 'AP75', 'APm', 'APl', 'AR', 'AR50', 'AR75', 'ARm', 'ARl')}


class FileDetections(list[Any]):
    """Detections of a file.

    Attributes:
        file: Path of the file.
    """

    def __init__(self, detections: Sequence[Any], file: str | Path) -> None:
        super().__init__(detections)
        self.file = file


@dataclass(frozen=True)
class Evaluation:
    """Metrics, equal to those of the COCO API.

    Attributes:
        metrics: Metric -> value in [0, 1]. Names are 'AP', 'AP50', ..., 'ARl', with the prefix 'mask ' for masks.
            None if no ground-truth object has the size. For keypoints, 'AR', 'AR50' and 'AR75' replace the AR by
            number of detections, and small objects have no metrics.
        classes: Class -> AP in [0, 1]. None for classes without ground truth.
        images: Number of evaluated images.
    """

    metrics: Mapping[str, float | None]
    classes: Mapping[str, float | None]
    images: int


def evaluate_detections(annotations: str | Path | COCO,
                        results: str | Path | Sequence[Mapping[str, Any]],
                        kind: str = 'bbox',
                        classes: Sequence[str] | None = None,
                        images: Collection[int] | None = None,
                        sigmas: Sequence[float] | None = None) -> Evaluation:
    """Evaluate detections as the COCO server does.

    Args:
        annotations: COCO annotation file, or a ``COCO`` object.
        results: Detections in COCO's results format, or a JSON file of them.
        kind: 'bbox', 'segm' or 'keypoints'.
        classes: Names of the classes to evaluate. Default: all classes of the annotations, or those with keypoints.
        images: IDs of the images to evaluate. Default: all images of the annotations.
        sigmas: Sigmas of the keypoints. Default: those of COCO, for the keypoints of COCO. For 'keypoints' only.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If ``kind`` or a class is unknown, or a detection, annotation or image size is invalid. Detections
            of images or categories that are not in the annotations are invalid.
    """
    return collect_metrics(run_evaluation(annotations, results, kind, classes, images, sigmas))


def collect_metrics(evaluation: ArrayEvaluation) -> Evaluation:
    """Collect the metrics of a finished evaluation."""
    names = _METRICS[evaluation.params.iouType]
    categories = evaluation.cocoGt.loadCats(evaluation.params.catIds)
    precision = evaluation.eval['precision'][:, :, :, 0, -1]  # IoU x recall x class, all sizes, most detections
    classes = {category['name']: _mean(precision[:, :, k]) for k, category in enumerate(categories)}
    return Evaluation({name: _defined(value) for name, value in zip(names, evaluation.stats)}, classes,
                      len(evaluation.params.imgIds))


def run_evaluation(annotations: str | Path | COCO,
                   results: str | Path | Sequence[Mapping[str, Any]],
                   kind: str = 'bbox',
                   classes: Sequence[str] | None = None,
                   images: Collection[int] | None = None,
                   sigmas: Sequence[float] | None = None) -> ArrayEvaluation:
    """Run an evaluation and return it. It contains the matches.

    Arguments and errors are those of :func:`evaluate_detections`.
    """
    if kind not in _METRICS:
        raise ValueError(f'kind must be one of {", ".join(_METRICS)}, got {kind!r}')
    truth = annotations if isinstance(annotations, COCO) else read_annotations(annotations)
    if kind == 'segm':
        check_image_sizes(truth)
    with contextlib.redirect_stdout(io.StringIO()):  # the API prints
        evaluation = ArrayEvaluation(truth, _check_results(truth, results, kind), kind)
        if kind == 'keypoints':
            evaluation.params.kpt_oks_sigmas = choose_sigmas(keypoint_names(truth), sigmas)
            evaluation.params.catIds = keypoint_categories(truth)
        if classes is not None:
            evaluation.params.catIds = _categories(truth, classes)
        if images is not None:
            evaluation.params.imgIds = sorted(images)
        check_annotations(evaluation)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def read_annotations(file: str | Path) -> FileAnnotations:
    """Read a COCO annotation file and renumber its annotations from 1.

    The COCO API treats the annotation ID 0 as no match.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not in COCO's format, or the ID of an image or category is missing or invalid.
    """
    truth = FileAnnotations(file)
    truth.dataset = read_sections(file)
    try:
        check_ids(truth.dataset)
    except ValueError as error:
        raise ValueError(f'{name_of(truth)}, {error}') from None
    for number, annotation in enumerate(truth.dataset['annotations'], 1):
        truth.ids[number] = annotation.get('id', number)
        annotation.update(id=number, iscrowd=annotation.get('iscrowd', 0))
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def read_results(file: str | Path) -> FileDetections:
    """Read a JSON file of detections without checking the detections.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If it is not a JSON list.
    """
    # NaN has a better message where its detection is checked
    results = parse_json(read_bytes(file, 'results', max_bytes=DATA_BYTES), f'results ({file})',
                         max_depth=DATA_DEPTH, allow_nan=True, fix='Export them again.')
    if not isinstance(results, list):
        raise ValueError(f'results ({file}) must be a list of detections, got a {type(results).__name__}')
    return FileDetections(results, file)


def _check_results(truth: COCO, results: Any, kind: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(results, (str, Path)):
        results = read_results(results)
    elif not isinstance(results, Sequence) or isinstance(results, bytes):
        raise ValueError(f'results must be a list of detections or a file of them, got a {type(results).__name__}')
    where = f' ({results.file})' if isinstance(results, FileDetections) else ''
    checker = result_checker(truth, kind)
    for number, result in enumerate(results):
        wrong = checker.error(result)
        if wrong:
            raise ValueError(f'results{where}, detection {number}: {wrong}')
    return results


def _categories(truth: COCO, classes: Sequence[str]) -> list[int]:
    known = {category['name']: number for number, category in truth.cats.items()}
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise ValueError(f'classes must be in the annotations, got {", ".join(map(repr, unknown[:5]))}, which are not')
    return sorted(known[name] for name in classes)


def _mean(precision: NDArray[np.float64]) -> float | None:
    precision = precision[precision > -1]
    return float(precision.mean()) if precision.size else None


def _defined(value: float) -> float | None:
    return None if value < 0 else float(value)

"""Evaluating detections with the COCO API, to the last digit and class by class.

mmdet's evaluator rounds to three digits and, for everything but AP, looks at more than the 100 best detections of a
class in an image.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.evaluation.coco_checks import (
    FileAnnotations,
    check_annotations,
    check_image_sizes,
    name_of,
    result_error,
)
from hrnet_plugin.evaluation.detections import SHAPES

_NAMES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl')
_PREFIX = {'bbox': '', 'segm': 'mask '}


@dataclass(frozen=True)
class Evaluation:
    """The COCO API's figures.

    Attributes:
        metrics: 'AP', 'AP50', ..., 'ARl', of masks 'mask AP' and so on -> a fraction; None where there is nothing of
            that size to be found.
        classes: Class -> AP; None where there is nothing of that class.
        images: How many have been evaluated.
    """

    metrics: Mapping[str, float | None]
    classes: Mapping[str, float | None]
    images: int


def evaluate_detections(annotations: str | Path | COCO,
                        results: str | Path | Sequence[Mapping[str, Any]],
                        kind: str = 'bbox',
                        classes: Sequence[str] | None = None,
                        images: Collection[int] | None = None) -> Evaluation:
    """Evaluate detections as the COCO server does.

    Args:
        annotations: File with the truth, in COCO's format, or what the API has read of it.
        results: Detections in the format for submissions, or a file of them.
        kind: 'bbox' or 'segm'.
        classes: Names of those to be evaluated; all that the annotations have by default.
        images: Numbers of those to be evaluated; all that the annotations have by default.

    Raises:
        ValueError: If ``kind`` or a class is not known, a detection is of an image or category that the annotations do
            not have, or a detection, an annotation or the size of an image is not of COCO's format.
    """
    return figures(run_api(annotations, results, kind, classes, images))


def figures(evaluation: COCOeval) -> Evaluation:
    """The figures of an evaluation of the API."""
    names = [_PREFIX[evaluation.params.iouType] + name for name in _NAMES]
    categories = evaluation.cocoGt.loadCats(evaluation.params.catIds)
    precision = evaluation.eval['precision'][:, :, :, 0, -1]  # IoU x recall x class, of all sizes, 100 detections
    found = {category['name']: _mean(precision[:, :, k]) for k, category in enumerate(categories)}
    return Evaluation({name: _defined(value) for name, value in zip(names, evaluation.stats)}, found,
                      len(evaluation.params.imgIds))


def run_api(annotations: str | Path | COCO,
            results: str | Path | Sequence[Mapping[str, Any]],
            kind: str = 'bbox',
            classes: Sequence[str] | None = None,
            images: Collection[int] | None = None) -> COCOeval:
    """The API's evaluation, with what it has matched; arguments and errors as of :func:`evaluate_detections`."""
    if kind not in _PREFIX:
        raise ValueError(f'kind must be one of {", ".join(_PREFIX)}, got {kind!r}')
    truth = annotations if isinstance(annotations, COCO) else read_annotations(annotations)
    if kind == 'segm':
        check_image_sizes(truth)
    with contextlib.redirect_stdout(io.StringIO()):  # the API prints
        evaluation = COCOeval(truth, _detections(truth, results, kind), kind)
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
    """What the COCO API makes of a file with annotations, which are numbered anew from 1: it takes 0 for nothing.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not of COCO's format.
    """
    truth = FileAnnotations(file)
    try:
        truth.dataset = json.loads(Path(file).read_text(encoding='utf-8'))
        for number, annotation in enumerate(truth.dataset['annotations'], 1):
            truth.ids[number] = annotation.get('id', number)
            annotation.update(id=number, iscrowd=annotation.get('iscrowd', 0))
        with contextlib.redirect_stdout(io.StringIO()):
            truth.createIndex()
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f'annotations must be a file in COCO\'s format, got {file}: {error!r}') from None
    return truth


def read_results(file: str | Path) -> list[Any]:
    """The list in a file with detections, which need not be right.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not JSON, or not a list.
    """
    try:
        results = json.loads(Path(file).read_text(encoding='utf-8'))
    except (RecursionError, ValueError) as error:  # of nesting, JSON, UTF-8, or an integer of thousands of digits
        raise ValueError(f'results ({file}) must be JSON, got {error}') from None
    if not isinstance(results, list):
        raise ValueError(f'results ({file}) must be a list of detections, got a {type(results).__name__}')
    return results


def _detections(truth: COCO, results: Any, kind: str) -> COCO:
    where = ''
    if isinstance(results, (str, Path)):
        where, results = f' ({results})', read_results(results)
    elif not isinstance(results, Sequence) or isinstance(results, bytes):
        raise ValueError(f'results must be a list of detections or a file of them, got a {type(results).__name__}')
    for number, result in enumerate(results):
        wrong = result_error(result, kind, truth)
        if wrong:
            raise ValueError(f'results{where}, detection {number}: {wrong}')
    if results:
        try:
            keys = ('image_id', 'category_id', 'score', SHAPES[kind])  # others would lead the API elsewhere
            return truth.loadRes([{key: result[key] for key in keys} for result in results])
        except RecursionError as error:  # it copies categories and notes of the annotations
            raise ValueError(f'{name_of(truth)} must be nested less deeply, got {error!r}') from None
    empty = COCO()  # loadRes looks at the first detection
    empty.dataset = dict(images=truth.dataset['images'], categories=truth.dataset['categories'], annotations=[])
    empty.createIndex()
    return empty


def _categories(truth: COCO, classes: Sequence[str]) -> list[int]:
    known = {category['name']: number for number, category in truth.cats.items()}
    strange = [name for name in classes if name not in known]
    if strange:
        raise ValueError(f'classes must be in the annotations, got {", ".join(map(repr, strange[:5]))}, which are not')
    return sorted(known[name] for name in classes)


def _mean(precision: NDArray[np.float64]) -> float | None:
    precision = precision[precision > -1]
    return float(precision.mean()) if precision.size else None


def _defined(value: float) -> float | None:
    return None if value < 0 else float(value)

"""Checks of annotations, images and detections, which the COCO API does not validate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.evaluation.annotation_files import check_names
from hrnet_plugin.evaluation.coco_keypoints import complete_keypoints, keypoint_names, keypoints_error
from hrnet_plugin.evaluation.detections import SHAPES, is_finite_number, short
from hrnet_plugin.evaluation.result_checks import ResultChecker, box_error
from hrnet_plugin.evaluation.rle import image_size_error, segmentation_error


class FileAnnotations(COCO):
    """COCO annotations of a file, with IDs renumbered from 1.

    Attributes:
        file: Path of the file.
        ids: New annotation ID -> ID in the file.
    """

    def __init__(self, file: str | Path) -> None:
        super().__init__()
        self.file = file
        self.ids: dict[int, Any] = {}


def name_of(truth: COCO) -> str:
    """Return what error messages call the annotations, with their file if it is known."""
    return f'annotations ({truth.file})' if isinstance(truth, FileAnnotations) else 'annotations'


def check_image_sizes(truth: COCO) -> None:
    """Raise an error if the size of an image is invalid. Mask evaluation requires it.

    Raises:
        ValueError: If an image has no valid height and width.
    """
    for number, image in truth.imgs.items():
        wrong = image_size_error(image.get('height'), image.get('width'))
        if wrong:
            raise ValueError(f'{name_of(truth)}, image {short(number)}: {wrong}')


def check_annotations(evaluation: COCOeval) -> None:
    """Complete annotations, and raise an error if one would crash the COCO API or lead to wrong metrics.

    A missing ``iscrowd`` is 0. A missing ``area`` is that of the segmentation, or else that of the box. For keypoints,
    see :func:`~hrnet_plugin.evaluation.coco_keypoints.complete_keypoints`.

    Args:
        evaluation: Evaluation before its first run. Only annotations of its images and classes are checked.

    Raises:
        ValueError: If the name of a class, a box, a segmentation or keypoints are invalid.
    """
    truth, params = evaluation.cocoGt, evaluation.params
    try:
        check_names(truth.loadCats(params.catIds))
    except ValueError as error:
        raise ValueError(f'{name_of(truth)}, {error}') from None
    keypoints = len(keypoint_names(truth)) if params.iouType == 'keypoints' else 0
    for annotation in truth.loadAnns(truth.getAnnIds(imgIds=params.imgIds, catIds=params.catIds)):
        annotation.setdefault('iscrowd', 0)
        if params.iouType == 'keypoints':
            complete_keypoints(annotation, keypoints)
        elif 'area' not in annotation:
            _set_area(annotation, truth)
        wrong = _annotation_error(annotation, params.iouType, truth, keypoints)
        if wrong:
            name = annotation['id']
            name = truth.ids[name] if isinstance(truth, FileAnnotations) else name
            raise ValueError(f'{name_of(truth)}, annotation {short(name)}: {wrong}')


def _set_area(annotation: dict[str, Any], truth: COCO) -> None:
    """Set the area of an annotation if its segmentation or box is valid."""
    image = truth.imgs.get(annotation['image_id'], {})
    if ('segmentation' in annotation and not image_size_error(image.get('height'), image.get('width'))
            and not segmentation_error(annotation['segmentation'], int(image['height']), int(image['width']))):
        annotation['area'] = float(mask.area(truth.annToRLE(annotation)))
    elif not box_error(annotation.get('bbox')):
        annotation['area'] = annotation['bbox'][2] * annotation['bbox'][3]


def _annotation_error(annotation: Mapping[str, Any], kind: str, truth: COCO, keypoints: int) -> str:
    key = SHAPES[kind]
    if key not in annotation:
        return f'must have {key}, got {short(sorted(annotation))}'
    area, crowd = annotation.get('area', 0), annotation['iscrowd']  # without an area, the shape is invalid
    if not is_finite_number(area) or type(crowd) not in (int, bool) or crowd not in (0, 1):
        return f'area must be a finite number and iscrowd 0 or 1, got {short(area)} and {short(crowd)}'
    shape, image = annotation[key], truth.imgs.get(annotation['image_id'])
    if kind == 'bbox':
        return box_error(shape)
    if kind == 'keypoints':
        return keypoints_error(shape, keypoints) or box_error(annotation.get('bbox'))
    if image is None:
        return f'image_id must be one of the images, got {short(annotation["image_id"])}'
    return segmentation_error(shape, int(image['height']), int(image['width']))


def result_checker(truth: COCO, kind: str) -> ResultChecker:
    """Return the check of detections on the images and categories of annotations.

    Args:
        truth: Ground truth. For 'segm', its image sizes must have been checked.
        kind: 'bbox', 'segm' or 'keypoints'.
    """
    sizes = {number: (int(image['height']), int(image['width'])) for number, image in truth.imgs.items()
             } if kind == 'segm' else truth.imgs
    keypoints = dict.fromkeys(truth.cats, len(keypoint_names(truth))) if kind == 'keypoints' else {}
    return ResultChecker(kind, images=sizes, categories=truth.cats, keypoints=keypoints, where='in the annotations')

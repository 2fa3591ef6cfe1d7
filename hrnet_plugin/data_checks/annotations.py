"""Scan of a COCO annotation file for problems that mmdet, mmpose and the COCO API do not name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hrnet_plugin.data_checks.areas import check_areas, check_flags
from hrnet_plugin.data_checks.boxes import check_boxes, usable_boxes
from hrnet_plugin.data_checks.categories import check_categories
from hrnet_plugin.data_checks.coco_file import CocoFile, FormatError, read_coco_file
from hrnet_plugin.data_checks.columns import Columns, Use, key, key_of, read_columns
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.ids import check_ids
from hrnet_plugin.data_checks.image_entries import check_image_entries
from hrnet_plugin.data_checks.keypoints import check_keypoints, count_keypoints
from hrnet_plugin.data_checks.segmentations import check_segmentations

_LIMITS = (32.**2, 96.**2)  # pixels, of small and medium objects


@dataclass(frozen=True, kw_only=True)
class AnnotationReport:
    """Content and problems of an annotation file.

    Attributes:
        file: Path of the file.
        images: Number of images.
        annotations: Number of annotations.
        names: Names of the categories in the order of the file.
        category_ids: IDs of the categories in the order of the file.
        boxes: Class -> numbers of small, medium and large objects, without crowds. The limits are those of COCO, 32**2
            and 96**2 pixels.
        crowds: Number of crowd annotations.
        keypoints: Number of keypoints of an annotation, None if there are none.
        images_without: Number of images without annotations.
        image_files: Image ID -> file name, and annotated height and width in pixels, without invalid entries.
        findings: Problems, one per kind.
    """

    file: Path
    images: int
    annotations: int
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    boxes: Mapping[str, tuple[int, int, int]]
    crowds: int
    keypoints: int | None
    images_without: int
    image_files: Mapping[int | str, tuple[str, int | None, int | None]]
    findings: tuple[Finding, ...]


def scan_annotations(file: Path, *, masks: bool = False, keypoints: bool = False,
                     evaluated: bool = True) -> AnnotationReport:
    """Scan a COCO annotation file. Files without ground truth, e.g. of test-dev, have findings.

    Args:
        file: Annotation file.
        masks: Whether segmentations are used.
        keypoints: Whether keypoints are used, by mmpose. Otherwise, mmdet uses the boxes.
        evaluated: Whether the file is also ground truth of the COCO API, which reads area and iscrowd.
    """
    use = Use(masks=masks, keypoints=keypoints, evaluated=evaluated)
    try:
        data = read_coco_file(file, masks=masks)
    except FormatError as error:
        return AnnotationReport(file=file, images=0, annotations=0, names=(), category_ids=(), boxes={}, crowds=0,
                                keypoints=None, images_without=0, image_files={},
                                findings=(Finding(is_error=True, message=str(error)),))
    columns = read_columns(data)
    findings = list(_check(data, columns, use))
    if not any(finding.is_error for finding in findings):
        findings += _check_usable(data, columns, use)
    categories = data.categories
    with_annotations = set(map(key_of, data.annotations.column('image_id')))
    return AnnotationReport(
        file=file, images=len(data.images.entries), annotations=len(data.annotations.entries),
        names=tuple(map(str, categories.column('name'))), category_ids=tuple(categories.column('id')),
        boxes=_count_sizes(data, columns), crowds=int(columns.crowd.sum()), keypoints=count_keypoints(data),
        images_without=sum(key(image) not in with_annotations for image in data.images.entries),
        image_files=_image_files(data), findings=tuple(findings))


def _check(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    yield from check_ids(data, use)
    yield from check_categories(data, use)
    yield from check_image_entries(data)
    if not data.annotations.entries:
        yield Finding(is_error=False, message=(
            f'{data.annotations.file}: the file has no annotations. Metrics on it are -1. Unless its images are '
            'unlabeled, use the file with the annotations.'))
        return
    yield from check_boxes(data, columns, use)
    yield from check_areas(data, columns, use)
    yield from check_flags(data, use)
    if use.masks:
        yield from check_segmentations(data, columns, use)
    if use.keypoints:
        yield from check_keypoints(data, columns, use)


def _check_usable(data: CocoFile, columns: Columns, use: Use) -> Iterator[Finding]:
    """Yield a finding if no annotation is usable, for reasons that are no error for a single annotation."""
    if not use.keypoints and data.annotations.entries and not usable_boxes(columns).any():
        yield Finding(is_error=True, message=(
            f'{data.annotations.file}: no annotation is usable. mmdet leaves out crowds, objects of unknown images or '
            'categories, and those without area or of less than 1 pixel inside of the image. Correct the annotations.'))


def _count_sizes(data: CocoFile, columns: Columns) -> dict[str, tuple[int, int, int]]:
    """Return class -> numbers of small, medium and large objects."""
    areas = np.where(np.isfinite(columns.areas), columns.areas, columns.boxes[:, 2:].prod(axis=1))
    places = {key(category): number for number, category in enumerate(data.categories.entries)}
    labels = np.array([places.get(key_of(value), -1) for value in data.annotations.column('category_id')], int)
    counted = (labels >= 0) & np.isfinite(areas) & ~columns.crowd
    kinds = np.digitize(areas[counted], _LIMITS)
    counts = np.bincount(3 * labels[counted] + kinds, minlength=3 * len(data.categories.entries)).reshape(-1, 3)
    return {str(category.get('name')): (int(small), int(medium), int(large))
            for category, (small, medium, large) in zip(data.categories.entries, counts.tolist())}


def _image_files(data: CocoFile) -> dict[int | str, tuple[str, int | None, int | None]]:
    found: dict[int | str, tuple[str, int | None, int | None]] = {}
    for image in data.images.entries:
        number, name, height, width = (image.get(key) for key in ('id', 'file_name', 'height', 'width'))
        if isinstance(number, (int, str)) and isinstance(name, str):
            is_sized = isinstance(height, int) and isinstance(width, int)
            found[number] = (name, height, width) if is_sized else (name, None, None)
    return found
